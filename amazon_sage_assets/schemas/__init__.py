"""Pandera models: what a staged relation must look like before anything is concluded from it."""
