"""The steps of a run, each safe to repeat: start, plan, deliver, finish; and the tick that watches over them."""
