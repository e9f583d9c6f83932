"""Does what a person with napalm would do, and prints what was seen, as JSON. Argument: the switch's port."""

import json
import sys

from napalm import get_network_driver

CANDIDATE = """
interface Port-Channel1001
   description PVE-N1-LACP
   switchport mode trunk
interface Ethernet7/1
   channel-group 1001 mode active
"""

optional = {"port": int(sys.argv[1]), "transport": "ssh", "secret": "enable me"}
with get_network_driver("eos")("127.0.0.1", "ann", "pass:word", optional_args=optional) as switch:

    def description():
        return switch.get_interfaces().get("Port-Channel1001", {}).get("description")

    seen = {"facts": switch.get_facts()}
    switch.load_merge_candidate(config=CANDIDATE)
    seen["diff"] = switch.compare_config()
    switch.discard_config()
    seen["discarded"] = description()

    switch.load_merge_candidate(config=CANDIDATE)
    switch.commit_config(revert_in=300)
    seen["provisional"] = [switch.has_pending_commit(), description()]
    switch.rollback()
    seen["rolled back"] = [switch.has_pending_commit(), description()]

    switch.load_merge_candidate(config=CANDIDATE)
    switch.commit_config(revert_in=300)
    switch.confirm_commit()
    seen["confirmed"] = [switch.has_pending_commit(), description()]

    switch.load_merge_candidate(config="interface Port-Channel1001\n   description another\n")
    switch.commit_config()
    seen["committed"] = description()
    switch.rollback()
    seen["went back"] = description()

    running = switch.get_config(retrieve="running")["running"]
    switch.load_replace_candidate(config=running.replace("PVE-N1-LACP", "whole"))
    seen["replacing"] = switch.compare_config()
    switch.commit_config()
    seen["replaced"] = description()
json.dump(seen, sys.stdout)
