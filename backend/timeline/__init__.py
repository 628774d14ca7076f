"""What a page needs of a run whose log is too long to be folded in the browser.

* `spans`  what the workers did, and when, as columns drawn from events;
* `tiles`  seconds of each kind for each worker in equal bins of time, at widths that double from level to level;
* `store`  the queries;
* `index`  builds both while the events are stored, or afterwards for a run that has none;
* `reader` gives overviews, and the events of a stretch of time.

All of it follows from the events. Nothing here is the only place of anything.
"""
