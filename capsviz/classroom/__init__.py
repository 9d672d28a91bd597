"""A class: people who draw on their phones, and a presenter who sees what a network makes of it.

``Classroom`` (rooms.py) is all of it for Python: it opens a class, gives the presenter's rights to whoever has its secret
(``Presenter``, presenter.py) and a phone's to whoever has its token. Both are sync, may be called from any thread, and
refuse with ``Refused`` (refusals.py), one sentence in the language that is spoken. ``routes`` (web.py) puts the same on
the web, with the phone's page: Starlette's routes, for whoever serves.

Everything is kept in a database (store.py) as soon as it is accepted. Nothing else is shared: several servers on one
database are one classroom. Kept are drawings, what the network made of them, tasks, polls and votes; of a person only
a nickname that the server made up.
"""
