"""
The one program that writes to the store of dependencies. Trusted: no project's code runs beside it or in it.

Like the agent it is started as a folder, with the standard library alone. It takes one request, answers, and ends.
"""
