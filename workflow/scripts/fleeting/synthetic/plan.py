"""Who shows what when: every row of a database, without a single image.

All that concerns a subject depends on the seed, the database and the subject's index alone: one
more subject leaves the others as they are.
"""

from dataclasses import replace

from fleeting.errors import UserError
from fleeting.synthetic.emotions import expression
from fleeting.synthetic.format import Clip, Format
from fleeting.synthetic.seeds import generator
from fleeting.synthetic.settings import POSITIONS, Settings


def plan(form: Format, settings: Settings) -> list[Clip]:
    """The rows of a database in the order of its table."""
    if form.database not in settings.subjects:
        raise UserError(f"synthetic: subjects: no number of subjects for {form.database}")
    return [
        clip
        for index in range(settings.subjects[form.database])
        for clip in _subject(form, settings, index)
    ]


def frames_on_disk(clip: Clip, count: int) -> list[int]:
    """The numbers of the frames that a clip has on disk, sorted.

    `count` is `frames_per_clip`; a row with an oddity has its annotated frames only.
    """
    if clip.quirk in ("clip_missing", "duplicated_key", "order_violation"):
        return []
    annotated = {clip.onset, clip.apex, clip.offset}
    if clip.quirk == "frame_missing":
        return sorted(annotated - {clip.apex})
    if clip.quirk == "frame_near":
        return sorted(annotated - {clip.apex} | {clip.apex + 1})
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
    }
    return sorted({numbers[position] for position in POSITIONS[:count]})


def _subject(form: Format, settings: Settings, index: int) -> list[Clip]:
    count = settings.clips_per_subject

    def dealt(card: int) -> str:
        return form.deck[card % len(form.deck)]

    clips = [
        _clip(form, settings, index, position, dealt(index * count + position))
        for position in range(count)
    ]
    quirks = form.quirks[index] if index < len(form.quirks) else ()
    for number, quirk in enumerate(quirks):
        sound = _clip(form, settings, index, count + number, dealt(index + number + 1))
        clips.append(_with_quirk(sound, quirk, clips[0]))
    return clips


def _clip(form: Format, settings: Settings, index: int, position: int, emotion: str) -> Clip:
    subject = form.subject(index)
    name = form.clip_name(index, position, emotion)
    key = f"{settings.seed}/{form.database}/{subject}/{position}"
    random = generator("times", key)

    def between(limits: tuple[int, int]) -> int:
        return int(random.integers(limits[0], limits[1], endpoint=True))

    onset = between(form.onsets)
    apex = onset + between(form.rises)
    offset = apex + between(form.falls)
    return Clip(
        database=form.database,
        subject_index=index,
        subject=subject,
        position=position,
        name=name,
        onset=onset,
        apex=apex,
        offset=offset,
        emotion=emotion,
        expression=expression(emotion, key),
        stated_onset=onset,
        stated_apex=apex,
        stated_offset=offset,
        stated_emotion=emotion,
    )


def _with_quirk(clip: Clip, quirk: str, first: Clip) -> Clip:
    """The clip with an oddity; `first` is the subject's first clip."""
    clip = replace(clip, quirk=quirk)
    if quirk == "apex_slash":
        return replace(clip, stated_apex="/")
    if quirk == "apex_backslash":
        return replace(clip, stated_apex="\\")
    if quirk == "apex_is_onset":
        return replace(clip, apex=clip.onset, stated_apex=clip.onset)
    if quirk == "apex_is_offset":
        return replace(clip, apex=clip.offset, stated_apex=clip.offset)
    if quirk == "apex_after_offset":
        return replace(clip, stated_apex=clip.apex * 10)
    if quirk == "typing_error":
        return replace(clip, stated_emotion=clip.emotion[:3] + clip.emotion[4:])
    if quirk == "duplicated_key":
        return replace(first, quirk=quirk)
    if quirk == "order_violation":
        return replace(clip, stated_onset=clip.offset, stated_offset=clip.onset)
    if quirk == "macro_without_offset":
        return replace(clip, stated_offset=0)
    if quirk == "repeated_clip":
        later = first.offset + 40 - clip.onset
        onset, apex, offset = clip.onset + later, clip.apex + later, clip.offset + later
        return replace(
            clip,
            name=first.name,
            onset=onset,
            apex=apex,
            offset=offset,
            stated_onset=onset,
            stated_apex=apex,
            stated_offset=offset,
        )
    return clip
