"""The past, made playable: what happened at a centre, as acts in time order, whether drawn by lot or read from a log.

Nothing here sends, waits or sets a clock: the player takes acts from here and sends them, window by window.
"""
