"""Plans, runs and what follows from them as text for people; pure, and safe to print.

Whatever came from a server, an event or a file goes through ``text.safe`` here.
"""
