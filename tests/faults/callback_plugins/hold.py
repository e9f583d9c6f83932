# Stops a play before the task that HOLD_BEFORE names, until the file `go` is in the folder HOLD_FOLDER. That it stands there
# is told by the file `held`.
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: hold
type: aggregate
short_description: stops a play before a task
description: For tests of what happens meanwhile.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "hold"

    def __init__(self):
        super().__init__()
        self.before = os.environ.get("HOLD_BEFORE")
        self.folder = os.environ.get("HOLD_FOLDER")

    def v2_playbook_on_task_start(self, task, is_conditional):
        if self.before is None or task.name != self.before:
            return
        self.before = None
        open(os.path.join(self.folder, "held"), "w").close()
        while not os.path.exists(os.path.join(self.folder, "go")):
            time.sleep(0.05)
