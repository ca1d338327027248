"""What we know of Exchange, pure. Every fact carries its source and how sure it is.

Marks in docstrings: [doc] Microsoft documents it, [seen] seen in real exports or logs,
[obs] reported behaviour of known servers, [inf] our inference.
"""
