"""Does what a person with scrapli would do, and prints what was seen, as JSON. Argument: the switch's port."""

import json
import sys

from scrapli.driver.core import EOSDriver
from scrapli_cfg import ScrapliCfg

LINES = [
    "interface Port-Channel1001",
    "description PVE-N1-LACP",
    "interface Ethernet7/1",
    "channel-group 1001 mode active",
]



def connection():
    return EOSDriver(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        auth_username="ann",
        auth_password="pass:word",
        auth_secondary="enable me",
        auth_strict_key=False,
        transport="paramiko",
    )


with connection() as switch:
    seen = {"prompt": switch.get_prompt()}
    switch.register_configuration_session(session_name="scrapli-one")
    sent = switch.send_configs(LINES, privilege_level="scrapli-one")
    seen["sent"] = [sent.failed, switch.get_prompt()]
    seen["diff"] = switch.send_config("show session-config diffs", privilege_level="scrapli-one").result
    seen["committed"] = switch.send_config("commit", privilege_level="scrapli-one").failed
    refused = switch.send_config("interface nonsense")
    seen["refused"] = [refused.failed, refused.result]

# The sessions of scrapli_cfg are named by the second: a connection takes each name once.
with connection() as switch, ScrapliCfg(conn=switch) as configuration:
    seen["version"] = configuration.get_version().result
    running = configuration.get_config().result
    configuration.load_config("interface Port-Channel1001\n   description lost\n", replace=False)
    seen["aborted"] = [configuration.diff_config().device_diff, configuration.abort_config().failed]

with connection() as switch, ScrapliCfg(conn=switch) as configuration:
    configuration.load_config(running.replace("PVE-N1-LACP", "whole"), replace=True)
    seen["replaced"] = [configuration.diff_config().device_diff, configuration.commit_config().failed]
    seen["running"] = configuration.get_config().result
json.dump(seen, sys.stdout)
