"""Database rows ⇄ states: the only package that knows both.

`records` is the kintone side, `truth` the AWS side, `standings` what follows from both.
"""
