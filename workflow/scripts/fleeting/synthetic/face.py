"""One person's face, drawn with given action units."""

from fleeting.synthetic.action_units import ActionUnits
from fleeting.synthetic.drawing import Array, Grid
from fleeting.synthetic.features import Features
from fleeting.synthetic.head import Head
from fleeting.synthetic.identity import Identity


class Face:
    """A person whose face can be drawn again and again; only what moves is drawn each time."""

    def __init__(self, person: Identity) -> None:
        """Draw the layers that every frame shares."""
        self.person = person
        self.head = Head(person)
        self.features = Features(person, self.head.grid)

    @property
    def grid(self) -> Grid:
        """Where the pixels of a drawn face lie, in face units."""
        return self.head.grid

    def draw(self, units: ActionUnits) -> Array:
        """Head and neck, premultiplied (height, width, 4) float32: colours 0..255, cover 0..1."""
        canvas, outline = self.head.draw(units)
        self.features.draw(canvas, outline, units)
        self.head.cover_with_hair(canvas)
        return canvas
