"""What somebody means who types a few words into the palette, the search page or the address bar. Pure.

A `World` is all that one person can go to. The browser matches it while he types (static/js/seek.js), the server for
everybody else; both follow the rules in here, and one table of cases holds them together.
"""
