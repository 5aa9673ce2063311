"""The flow: receiving, dispatching, ticking, and the processes that read mail."""
