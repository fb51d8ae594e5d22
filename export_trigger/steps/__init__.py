"""The steps that only this side takes: plan, tick, supervise, cancel, claim, erase, retain."""
