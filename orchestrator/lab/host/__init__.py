"""A simulated server as a Windows machine: what a remote shell may run on it."""
