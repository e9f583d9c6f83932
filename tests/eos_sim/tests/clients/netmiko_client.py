"""Does what a person with netmiko would do, and prints what was seen, as JSON. Argument: the switch's port."""

import json
import sys

from netmiko import ConnectHandler

with ConnectHandler(
    device_type="arista_eos",
    host="127.0.0.1",
    port=int(sys.argv[1]),
    username="ann",
    password="pass:word",
    secret="enable me",
) as switch:
    prompts = [switch.find_prompt()]
    switch.enable()
    prompts.append(switch.find_prompt())
    switch.send_config_set(
        [
            "interface Port-Channel1001",
            "description PVE-N1-LACP",
            "switchport mode trunk",
            "interface Ethernet7/1",
            "channel-group 1001 mode active",
        ],
        config_mode_command="configure session netmiko",
    )
    seen = {
        "prompts": prompts,
        "diff": switch.send_command("show session-config named netmiko diffs"),
        "committed": switch.send_command("configure session netmiko commit"),
        "running": switch.send_command("show running-config"),
        "refused": switch.send_command("show nonsense"),
        "saved": switch.save_config(),
    }
json.dump(seen, sys.stdout)
