"""Where things stand on a chart: scales from values to mm, words that must not overlap. Knows neither ink nor chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]  # left, top, right, bottom
Spot = tuple[float, float]

_RADII = (1.7, 2.6, 4.0, 6.0, 8.5, 11.5, 15.0, 19.0, 24.0, 30.0)
_ANGLES = [math.tau * turn / 16 for turn in range(16)]
_GAP = 0.35
_LEADER_FROM = 2.4
_POINT = 1.1
_SWEEPS = 12
# What a fault costs, in mm of distance from the point it would be worth.
_HARD = 10_000.0
_CROSSES_WORDS = 400.0
_CROSSES_LEADER = 60.0
_LEADER = 4.0
_ANOTHERS = 25.0  # nearer to another point than to its own


@dataclass(frozen=True)
class Place:
    """The box of the words, and the leader from the point to it where they stand apart."""

    box: Box
    leader: tuple[Spot, Spot] | None


def bar_scale(reach: Sequence[Spot], left: float, right: float) -> Spot:
    """The most mm per unit at which all bars with their words fit, and where zero stands.

    Each reach is where a bar ends, in units, and how far its words go beyond that, in mm; both negative to the left.
    """

    def spans(scale: float) -> Spot:
        ends = [value * scale + beyond for value, beyond in reach]
        return -min([0.0, *ends]), max([0.0, *ends])

    longest = max((abs(value) for value, _ in reach), default=0.0)
    low, high = 0.0, (right - left) / longest if longest else 0.0
    for _ in range(48):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(spans(middle)) <= right - left else (low, middle)
    return low, left + spans(low)[0]


@dataclass(frozen=True)
class Log:
    """A log axis from `left` to `right` mm over the positive values, with `pad` mm free at both ends."""

    least: float
    most: float
    left: float
    right: float
    pad: float

    @classmethod
    def over(cls, values: Sequence[float], left: float, right: float, pad: float) -> Log:
        """An axis that shows all of the values."""
        usable = [value for value in values if value > 0 and math.isfinite(value)] or [1.0]
        least, most = math.log10(min(usable)), math.log10(max(usable))
        if most - least < 0.3:  # a single value, or nearly
            least, most = least - 0.3, most + 0.3
        return cls(least, most, left, right, pad)

    def at(self, value: float) -> float:
        """Where the value stands."""
        share = (math.log10(value) - self.least) / (self.most - self.least)
        return self.left + self.pad + share * (self.right - self.left - 2 * self.pad)

    def ticks(self) -> list[float]:
        """Powers of ten, or finer steps where fewer than three would show."""
        for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 7)):
            powers = range(math.floor(self.least) - 1, math.ceil(self.most) + 2)
            found = [step * 10.0**power for power in powers for step in steps]
            found = [tick for tick in found if self.left <= self.at(tick) <= self.right]
            if len(found) >= 3:
                return found
        return found


def step_of(span: float) -> float:
    """The step of 1, 2 or 5 that cuts the span into five to ten parts."""
    power = 10.0 ** math.floor(math.log10(span / 5))
    return power * next(step for step in (1, 2, 5, 10) if span / (step * power) <= 10)


def spread(targets: Sequence[float], widths: Sequence[float], left: float, right: float, gap: float) -> list[float]:
    """Middles of words in one row, each as near its target as the order and the room allow."""
    middles = list(targets)
    edge = left
    for place, width in enumerate(widths):
        middles[place] = max(middles[place], edge + width / 2)
        edge = middles[place] + width / 2 + gap
    edge = right
    for place in reversed(range(len(widths))):
        middles[place] = min(middles[place], edge - widths[place] / 2)
        edge = middles[place] - widths[place] / 2 - gap
    return middles


def around(points: Sequence[Spot], sizes: Sequence[Spot | None], frame: Box) -> list[Place | None]:
    """A place for the words of each point (their width and height; None: no words), clear of points and other words.

    Every point takes its best place in turn, and looks again, given where the others went, until nobody moves. Whoever
    came first may have taken the only place of another: several orders are tried, and the cheapest outcome counts.
    """
    options = [_options(place, points, size, frame) if size else [] for place, size in enumerate(sizes)]
    named = [place for place, choices in enumerate(options) if choices]
    crowded = sorted(named, key=lambda place: sum(cost < _HARD for cost, _ in options[place]))
    from_left = sorted(named, key=lambda place: points[place])
    from_top = sorted(named, key=lambda place: points[place][::-1])
    least, best = math.inf, dict[int, Place]()
    for order in (crowded, from_left, from_left[::-1], from_top, from_top[::-1], crowded[::-1]):
        cost, chosen = _settled(order, options)
        if cost < least:
            least, best = cost, chosen
    return [best.get(place) for place in range(len(points))]


def _settled(order: list[int], options: list[list[tuple[float, Place]]]) -> tuple[float, dict[int, Place]]:
    chosen: dict[int, Place] = {}
    costs: dict[int, float] = {}
    for _ in range(_SWEEPS):
        moved = False
        for place in order:
            others = [other for key, other in chosen.items() if key != place]
            costs[place], best = _best(options[place], others)
            moved |= chosen.get(place) != best
            chosen[place] = best
        if not moved:
            break
    return sum(costs.values()), chosen


def _best(options: list[tuple[float, Place]], others: list[Place]) -> tuple[float, Place]:
    least, best = math.inf, options[0][1]
    for cost, place in options:  # cheapest first, so a cost that is not below the least ends the search
        if cost >= least:
            break
        for other in others:
            cost += _conflict(place, other)
            if cost >= least:
                break
        else:
            least, best = cost, place
    return least, best


def _options(place: int, points: Sequence[Spot], size: Spot, frame: Box) -> list[tuple[float, Place]]:
    x, y = points[place]
    width, height = size
    options = []
    for radius in _RADII:
        for angle in _ANGLES:
            across, down = math.cos(angle), math.sin(angle)
            middle_x = x + across * radius + width / 2 * max(-1.0, min(1.0, across * 1.5))
            middle_y = y + down * radius + height / 2 * max(-1.0, min(1.0, down * 1.5))
            box = (middle_x - width / 2, middle_y - height / 2, middle_x + width / 2, middle_y + height / 2)
            if box[0] < frame[0] or box[1] < frame[1] or box[2] > frame[2] or box[3] > frame[3]:
                continue
            near = _nearest(box, (x, y))
            apart = math.dist((x, y), near)
            leader = ((x, y), near) if apart > _LEADER_FROM else None
            cost = radius + (_LEADER if leader else 0) + 0.6 * (1 - across) + 0.3 * abs(down)
            # Farther from the box than its own point, another is neither touched by the words nor by their leader.
            reach = apart + _POINT + 0.4
            left, top, right, bottom = box[0] - reach, box[1] - reach, box[2] + reach, box[3] + reach
            for other, (other_x, other_y) in enumerate(points):
                if not (left < other_x < right and top < other_y < bottom):
                    continue
                dot = (other_x - _POINT, other_y - _POINT, other_x + _POINT, other_y + _POINT)
                if _overlap(box, dot, 0.2):
                    cost += _HARD
                elif other != place:
                    spot = (other_x, other_y)
                    if leader and _crosses(*leader, dot):
                        cost += _CROSSES_WORDS
                    elif spot != (x, y) and math.dist(spot, _nearest(box, spot)) < apart + 0.4:
                        cost += _ANOTHERS
            options.append((cost, Place(box, leader)))
    return sorted(options, key=lambda option: option[0])


def _conflict(one: Place, other: Place) -> float:
    if _overlap(one.box, other.box, _GAP):
        return _HARD
    cost = 0.0
    if one.leader and _crosses(*one.leader, other.box):
        cost += _CROSSES_WORDS
    if other.leader and _crosses(*other.leader, one.box):
        cost += _CROSSES_WORDS
    if one.leader and other.leader and _meet(*one.leader, *other.leader):
        cost += _CROSSES_LEADER
    return cost


def _nearest(box: Box, spot: Spot) -> Spot:
    return max(box[0], min(spot[0], box[2])), max(box[1], min(spot[1], box[3]))


def _overlap(one: Box, other: Box, gap: float) -> bool:
    return one[0] < other[2] + gap and other[0] < one[2] + gap and one[1] < other[3] + gap and other[1] < one[3] + gap


def _crosses(start: Spot, end: Spot, box: Box) -> bool:
    """Whether the line touches the box (Liang and Barsky's clipping)."""
    enter, leave = 0.0, 1.0
    for axis in (0, 1):
        along = end[axis] - start[axis]
        low, high = box[axis] - start[axis], box[axis + 2] - start[axis]
        if along == 0:
            if low > 0 or high < 0:
                return False
            continue
        near, far = sorted((low / along, high / along))
        enter, leave = max(enter, near), min(leave, far)
    return enter <= leave


def _meet(a: Spot, b: Spot, c: Spot, d: Spot) -> bool:
    def side(p: Spot, q: Spot, r: Spot) -> bool:
        return (q[0] - p[0]) * (r[1] - p[1]) > (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) != side(a, b, d) and side(c, d, a) != side(c, d, b)
