"""A simulation of a run's life: the app's own code over adapters' clients that are played, one interleaving at a time.

Everything from the functions down to the adapters is the app's: steps, ledger, registry, Autopilot adapter, tables, files.
Played are only the SDK's clients below them (`azure`), Autopilot's account behind its HTTP (`autopilot`, the sandbox's
rules), the source (`source`), the Functions host (`host`) and time. `stage` lets one actor at a time go on; who does, and
what goes wrong, is a schedule's to say (`schedule`), or a story's in plain words (`story`).
"""
