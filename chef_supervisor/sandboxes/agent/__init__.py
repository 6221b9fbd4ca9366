"""
The program that is PID 1 of every box: takes files and steps, runs them, tells what came of it, ends.

Standard library only, and self-contained: this folder is copied alone into the runner image, as `/opt/chef/agent`.
"""
