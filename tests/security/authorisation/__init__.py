"""Who may what: every route of the site, asked by every role with every method, against tables that people can read.

``site.txt``, ``api.txt`` and ``admin.txt`` say what is expected, ``permissions.txt`` what each kind of staff is given. Nothing of what is expected is read from
the code that is tested; the routes are, so that one without a row turns red, and a row without a route.
"""
