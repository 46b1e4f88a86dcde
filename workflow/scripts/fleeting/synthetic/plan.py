"""Who shows what when: every row of a database, without a single image.

All that concerns a subject depends on the seed, the database and the subject's index alone: one
more subject leaves the others as they are.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.synthetic.expressions import expression
from fleeting.synthetic.format import Clip, load_format
from fleeting.synthetic.seeds import generator
from fleeting.synthetic.settings import POSITIONS, Settings

#: How many subjects of a database share the emotions of the settings evenly.
DEALT_TOGETHER = 12


def plan(database: str, settings: Settings) -> list[Clip]:
    """The rows of a database in the order of its table.

    Raises:
        UserError: the settings have no number of subjects for it, or emotions that it has not.
    """
    if database not in settings.subjects:
        raise UserError(f"synthetic: subjects: no number of subjects for {database}")
    return [
        clip
        for index in range(settings.subjects[database])
        for clip in _subject(database, settings, index)
    ]


def frames_on_disk(clip: Clip, count: int | Literal["all"]) -> list[int]:
    """The numbers of the frames that a clip has on disk, sorted.

    `count` is `frames_per_clip`; a row with an oddity has its annotated frames only, unless it is
    `all` and the oddity is not of the frames.
    """
    if clip.quirk in ("clip_missing", "duplicated_key", "order_violation"):
        return []
    annotated = {clip.onset, clip.apex, clip.offset}
    if clip.quirk == "frame_missing":
        return sorted(annotated - {clip.apex})
    if clip.quirk == "frame_near":
        return sorted(annotated - {clip.apex} | {clip.apex + 1})
    if count == "all":
        return list(range(clip.onset, clip.offset + 1))
    if clip.quirk:
        return sorted(annotated)
    rise, fall = clip.apex - clip.onset, clip.offset - clip.apex
    numbers = {
        "onset": clip.onset,
        "apex": clip.apex,
        "offset": clip.offset,
        "rising": clip.onset + rise // 2,
        "falling": clip.apex + fall // 2,
        "before": clip.onset - max(rise // 2, 1),
        "after": clip.offset + max(fall // 2, 1),
        "second": clip.onset + 1,
    }
    return sorted({numbers[position] for position in POSITIONS[:count]})


def _subject(database: str, settings: Settings, index: int) -> list[Clip]:
    form = load_format(database)
    count = settings.clips_per_subject
    deck = _deck(database, settings, index)

    def clip(position: int, card: int) -> Clip:
        emotion = deck[card % len(deck)]
        return _clip(database, settings, index, position, emotion)

    clips = [clip(position, index * count + position) for position in range(count)]
    quirks = form.QUIRKS[index] if index < len(form.QUIRKS) else ()
    for number, quirk in enumerate(quirks):
        regular = clip(count + number, index + number + 1)
        clips.append(_with_quirk(regular, quirk, clips[0]))
    return clips


def _deck(database: str, settings: Settings, index: int) -> Sequence[str]:
    """The emotions that are dealt to the clips of a database, by the subject of an index.

    The settings' emotions are shuffled together for `DEALT_TOGETHER` subjects. Over these, each
    emotion is equally frequent, so neither the database nor the subject tells the class; a
    subject's other clips tell hardly anything of a clip.
    """
    own = load_format(database).DECK
    if settings.emotions is None:
        return own
    unknown = sorted(set(settings.emotions).difference(own))
    if unknown:
        raise UserError(
            f"synthetic: emotions: {database} has no clips of {unknown[0]!r}; it has "
            f"{', '.join(sorted(set(own)))}"
        )
    cards = DEALT_TOGETHER * settings.clips_per_subject
    deck = [settings.emotions[card % len(settings.emotions)] for card in range(cards)]
    random = generator("deal", settings.seed, database, index // DEALT_TOGETHER)
    return [deck[card] for card in random.permutation(cards)]


def _emotion(database: str, settings: Settings, index: int, key: str, dealt: str) -> str:
    """The emotion of a clip: the dealt one, its database's own, or its subject's own."""
    if settings.emotions is None:
        return dealt
    emotions = list(dict.fromkeys(settings.emotions))
    if generator("class by subject", key).random() < settings.disturbances.class_by_subject:
        return emotions[index % len(emotions)]
    random = generator("class by database", key)
    if random.random() < settings.disturbances.class_by_database:
        names = sorted(settings.subjects)
        own = emotions[names.index(database) % len(emotions) :: len(names)]
        return own[random.integers(len(own))]
    return dealt


def _clip(database: str, settings: Settings, index: int, position: int, dealt: str) -> Clip:
    form = load_format(database)
    subject = form.subject(index)
    key = f"{settings.seed}/{database}/{subject}/{position}"
    random = generator("times", key)
    emotion = _emotion(database, settings, index, key, dealt)
    speed = settings.disturbances.frames_per_second or form.FRAMES_PER_SECOND

    def between(limits: tuple[int, int]) -> int:
        return int(random.integers(limits[0], limits[1], endpoint=True))

    def frames(limits: tuple[int, int]) -> int:
        """What takes so many frames of the database's own camera, in those of this one."""
        return max(1, round(between(limits) * speed / form.FRAMES_PER_SECOND))

    onset = between(form.ONSETS)
    apex = onset + frames(form.RISES)
    offset = apex + frames(form.FALLS)
    return Clip(
        database=database,
        subject_index=index,
        subject=subject,
        position=position,
        name=form.clip_name(index, position, emotion),
        onset=onset,
        apex=apex,
        offset=offset,
        emotion=emotion,
        expression=expression(emotion, key),
        frames_per_second=speed,
        stated_onset=onset,
        stated_apex=apex,
        stated_offset=offset,
        stated_emotion=emotion,
    )


def _with_quirk(clip: Clip, quirk: str, first: Clip) -> Clip:
    """The clip with an oddity; `first` is the subject's first clip."""
    if quirk == "duplicated_key":
        return replace(first, quirk=quirk)
    if quirk == "repeated_clip":
        shift = first.offset + 40 - clip.onset
        times = {
            name: getattr(clip, name.removeprefix("stated_")) + shift
            for phase in tsv.PHASES
            for name in (phase, f"stated_{phase}")
        }
        return replace(clip, quirk=quirk, name=first.name, **times)
    changes: dict[str, dict[str, Any]] = {
        "apex_slash": {"stated_apex": "/"},
        "apex_backslash": {"stated_apex": "\\"},
        "apex_is_onset": {"apex": clip.onset, "stated_apex": clip.onset},
        "apex_is_offset": {"apex": clip.offset, "stated_apex": clip.offset},
        "apex_after_offset": {"stated_apex": clip.apex * 10},
        "typing_error": {"stated_emotion": clip.emotion[:3] + clip.emotion[4:]},
        "order_violation": {"stated_onset": clip.offset, "stated_offset": clip.onset},
        "macro_without_offset": {"stated_offset": 0},
    }
    return replace(clip, quirk=quirk, **changes.get(quirk, {}))
