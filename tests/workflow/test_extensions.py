"""Each test adds one thing to a copy of the project, as docs/architecture.md says, and runs it for real."""
