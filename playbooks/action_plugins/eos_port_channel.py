"""Runs the module as any other. Where the collection arista.eos is installed, Ansible would otherwise hand every module
whose name begins with `eos_` to that collection's plugin, which refuses connections other than its own."""

from ansible.plugins.action.normal import ActionModule  # noqa: F401
