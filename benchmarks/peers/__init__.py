"""What people would pick instead, doing the same work with the same provider: one module each, in processes of its own.

They are treated kindly: commsched's own renderer and mail framing, fifty calls at a time in each process, no record
kept of what was decided or sent, and where a setting of theirs would drop or delay messages it is set otherwise.
"""
