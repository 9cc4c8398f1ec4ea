"""The figures of a transport, from what its watchers saw and the change log. It is written apart from the product's own."""

# From the first change to the begin of the comparison's measuring.
ARRIVING_S = 3


def row(name, mine, commits, packets, marks, begin, end, way=None):
    seen = [each.by[way] if way else each.seen for each, _ in mine]
    newest = commits[-1][1]
    # The product's comparison, which runs beside, measures once its own watchers are there.
    first, last = commits[0][0] + ARRIVING_S, commits[-1][0]
    ages = [age for age in (mean_age(commits, each, first, last) for each in seen) if age is not None]
    measured = [commit for commit in commits if commit[0] >= first]
    late = sorted(delay for each in seen for delay in delays(measured, each))
    updates = sum(1 for each in seen for at, _ in each if begin <= at <= end)
    back = {}
    for mark, at in marks:
        known = max((revision for when, revision in commits if when <= at), default=0)
        back[mark] = max(next((when - at for when, revision in each if revision > known and when >= at - 60), 60) for each in seen)
    return {
        "name": name,
        "mean_age_ms": 1_000 * sum(ages) / max(len(ages), 1),
        "p50_ms": 1_000 * late[len(late) // 2] if late else None,
        "p99_ms": 1_000 * late[int(len(late) * 0.99)] if late else None,
        "updates": updates,
        "watchers": len(mine),
        "seconds": end - begin,
        "requests": sum(each.requests - old[0] for each, old in mine),
        "reconnects": sum(each.connections - old[1] for each, old in mine),
        "lost": sum(1 for each in seen if not each or each[-1][1] < newest),
        "right_again_s": {mark: max(0, seconds) for mark, seconds in back.items()},
        **packets,
    }


def mean_age(commits, seen, begin, end):
    """The mean over every millisecond of: how long ago was the oldest change committed that is not shown yet?"""
    if not seen:
        return None
    total = steps = shown = at = 0
    now = max(begin, seen[0][0])
    while now < end:
        while shown < len(seen) and seen[shown][0] <= now:
            shown += 1
        while at < len(commits) and commits[at][1] <= seen[shown - 1][1]:
            at += 1
        if at < len(commits) and commits[at][0] < now:
            total += now - commits[at][0]
        steps += 1
        now += 0.001
    return total / steps if steps else None


def delays(commits, seen):
    shown = 0
    for at, revision in commits:
        while shown < len(seen) and seen[shown][1] < revision:
            shown += 1
        if shown == len(seen):
            return
        yield max(0, seen[shown][0] - at)
