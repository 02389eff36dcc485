"""What researchers are given: votes, answers and marks as rows of documented layouts. Pure: fed with records, it knows no database.

A record is one battle with everything around it (:mod:`arena.exports.records`). A layout makes rows of it (:mod:`arena.exports.layouts`), and a writer puts
these into a file (:mod:`arena.exports.files`). The same records in the same order give the same bytes.
"""
