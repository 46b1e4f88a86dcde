"""Which images of a folder are frames, and their numbers: decided by the form of their names.

A number in a name is a frame's only if the name has the form of the others of its folder. Programs
number copies (`img13 (2).jpg`, `img 2.jpg`), and people put other pictures beside the frames.
"""

import re
from bisect import bisect
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

#: An image that `fleeting.faces.images` can read: what is before and after the last number of its
#: stem, and its ending, which some copies have twice.
_NUMBERED_IMAGE = re.compile(
    r"(?P<before>.*?)(?P<digits>[0-9]+)(?P<after>[^0-9]*?)(?P<ending>(\.(jpe?g|png|bmp))+)",
    re.IGNORECASE | re.DOTALL,
)
#: The names that programs give to copies, whatever stands beside them. The number in brackets
#: after another one counts copies; without one before it, it may count frames (`img (13).jpg`).
_COPY = re.compile(
    r"(copy|copie|copia|kopie) (\([0-9]+\) )?(of|de|di|von) .*"
    r"|.*[ _-](copy|copie|copia|kopie|副本|コピー)[ _-]?(\(?[0-9]+\)?)?"
    r"|.*[0-9] ?\([0-9]+\)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True)
class Name:
    """A file's name, taken apart.

    `form` is the text around the number, without case and without the ending.
    """

    name: str
    number: int
    digits: str
    form: tuple[str, str]
    ending: str


@dataclass
class Numbering:
    """The frames of a folder, and the images beside them that are none.

    Attributes:
        files: the name of each frame's file by its number.
        doubles: files with the number of a frame whose file is named more like its neighbours.
        others: images whose names have another form, or fit as well as that of a second file.
    """

    files: dict[int, str] = field(default_factory=dict)
    doubles: list[str] = field(default_factory=list)
    others: list[Name] = field(default_factory=list)


def parse(name: str) -> Name | None:
    """Take a file's name apart; None without digits in its stem or without an image's ending.

    The number is the last run of digits, whatever the prefix and padding: `img2977.jpg.jpg` is
    2977.
    """
    match = _NUMBERED_IMAGE.fullmatch(name)
    if not match:
        return None
    form = match["before"].casefold(), match["after"].casefold()
    return Name(name, int(match["digits"]), match["digits"], form, match["ending"])


def numbering(
    names: Iterable[Name], empty: Iterable[str] = (), any_name: bool = False
) -> Numbering:
    """Find the frames among the images of one folder.

    Their form is the most frequent one. Where no two of several names have the same form, or where
    another form numbers half as many images alike (a second series, such as of optical flow), none
    is known to be a frame. Of two files with one number the one named like its neighbours is the
    frame; where both are, or where most numbers have two files, none is known to be.

    Args:
        names: the images.
        empty: the names of files without bytes, which another file with the number replaces.
        any_name: the user has said how the frames are named, so that no name is a copy's.
    """
    found = Numbering()
    by_form: dict[tuple[str, str], list[Name]] = defaultdict(list)
    for name in names:
        if not any_name and _COPY.fullmatch(name.name[: -len(name.ending)]):
            found.others.append(name)
        else:
            by_form[name.form].append(name)
    if not by_form:
        return found
    form = min(by_form, key=lambda form: (-len(by_form[form]), sum(map(len, form)), form))
    frames = [] if _is_ambiguous(form, by_form) else by_form.pop(form)
    for others in by_form.values():
        found.others += others
    _number(frames, set(empty), found)
    return found


def _number(frames: Sequence[Name], empty: Collection[str], found: Numbering) -> None:
    """Add names of one form: one for each number, and what is beside it."""
    by_number: dict[int, list[Name]] = defaultdict(list)
    for name in frames:
        by_number[name.number].append(name)
    several = {
        number
        for number, same in by_number.items()
        if sum(name.name not in empty for name in same) > 1
    }
    if 2 * len(several) > len(by_number):
        # Two series that differ in padding or ending alone.
        found.others += frames
        return
    single = {number: same[0] for number, same in by_number.items() if len(same) == 1}
    numbers = sorted(single)
    for number, same in by_number.items():
        likeness = {name.name: _likeness(name, single, numbers) for name in same}
        first, *doubles = sorted(
            same, key=lambda name: (name.name in empty, -likeness[name.name], name.name)
        )
        if number in several and likeness[first.name] == likeness[doubles[0].name]:
            found.others += same
        else:
            found.files[number] = first.name
            found.doubles += [name.name for name in doubles]


def _is_ambiguous(form: tuple[str, str], by_form: Mapping[tuple[str, str], list[Name]]) -> bool:
    """Whether names of the most frequent form may not be the frames."""
    own = {name.number for name in by_form[form]}
    others = [names for other, names in by_form.items() if other != form]
    alike = max((len(own & {name.number for name in names}) for names in others), default=0)
    return bool(others) and (len(own) == 1 or 2 * alike >= len(own))


def _likeness(name: Name, single: Mapping[int, Name], numbers: Sequence[int]) -> int:
    """How many of the two frames beside it are named alike: with the same ending and padding."""
    place = bisect(numbers, name.number)
    before = numbers[place - 1] if place else None
    after = numbers[place] if place < len(numbers) else None
    neighbours = [single[number] for number in (before, after) if number is not None]
    return sum(
        2 * (neighbour.ending == name.ending) + _padded_alike(name, neighbour)
        for neighbour in neighbours
    )


def _padded_alike(name: Name, neighbour: Name) -> bool:
    """Whether both numbers can be of one series: padded to one width, or not at all."""
    widths = {len(neighbour.digits)}
    if not neighbour.digits.startswith("0"):
        widths.add(len(str(name.number)))
    return len(name.digits) in widths
