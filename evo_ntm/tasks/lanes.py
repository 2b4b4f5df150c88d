"""Lanes of episodes, of sequences or of lives: put side by side, and picked out."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor

from evo_ntm.tasks.lives import Lives, Share
from evo_ntm.tasks.task import Drawn, Episodes


def join(several: Sequence[Drawn]) -> Drawn:
    """Put the lanes of several episodes side by side, all of one kind of task."""
    if len(several) == 1:
        return several[0]
    lives = [drawn for drawn in several if isinstance(drawn, Lives)]
    return join_lives(lives) if lives else join_sequences([
        drawn for drawn in several if isinstance(drawn, Episodes)
    ])  # fmt: skip


def join_sequences(several: Sequence[Episodes]) -> Episodes:
    """Put sequences side by side; the shorter ones end in blanks."""
    longest = max(len(episodes.inputs) for episodes in several)

    def padded(episodes: Episodes) -> Episodes:
        inputs, targets, scored, lengths = episodes
        blanks = (0, 0, 0, longest - len(inputs))  # for the last two axes, the last one first
        inputs, targets = (F.pad(part, (0, 0, *blanks)) for part in (inputs, targets))
        return Episodes(inputs, targets, F.pad(scored, blanks), lengths)

    inputs, targets, scored, lengths = zip(*map(padded, several), strict=True)
    lanes = tuple(length for each in lengths for length in each)
    return Episodes(torch.cat(inputs, 1), torch.cat(targets, 1), torch.cat(scored, 1), lanes)


def join_lives(several: Sequence[Lives]) -> Lives:
    """Put lives side by side, those of equal worlds in one share."""
    joined: list[Share] = []
    for share in (share for each in several for share in each.shares):
        if joined and joined[-1].world == share.world:
            world, fates, lengths, reasons = joined.pop()
            both = {name: torch.cat([fates[name], share.fates[name]]) for name in fates}
            told = reasons + share.reasons
            joined.append(Share(world, both, lengths + share.lengths, told))
        else:
            joined.append(share)
    return Lives(tuple(joined))


def pick(drawn: Drawn, lanes: Sequence[int]) -> Drawn:
    """Keep some lanes. Lives stay in the order of their shares."""
    return pick_lives(drawn, lanes) if isinstance(drawn, Lives) else pick_sequences(drawn, lanes)


def pick_sequences(episodes: Episodes, lanes: Sequence[int]) -> Episodes:
    """Keep some sequences, and no step in which all of them have ended."""
    lengths = tuple(episodes.lengths[lane] for lane in lanes)
    index, steps = torch.tensor(lanes), slice(max(lengths))
    inputs, targets, scored = (part[steps, index] for part in episodes[:3])
    return Episodes(inputs, targets, scored, lengths)


def pick_lives(lives: Lives, lanes: Sequence[int]) -> Lives:
    """Keep some lives, those of each share in the order that is asked for."""
    begins = accumulate((len(share.lengths) for share in lives.shares), initial=0)
    picked = [
        (share, [lane - begin for lane in lanes if begin <= lane < begin + len(share.lengths)])
        for share, begin in zip(lives.shares, begins, strict=False)
    ]
    return Lives(tuple(_some(share, within) for share, within in picked if within))


def _some(share: Share, lanes: Sequence[int]) -> Share:
    index = torch.tensor(lanes)
    fates: Mapping[str, Tensor] = {name: drawn[index] for name, drawn in share.fates.items()}
    return share._replace(fates=fates, lengths=tuple(share.lengths[lane] for lane in lanes))
