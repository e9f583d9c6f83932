//! Numbers: VLANs, MTUs, times. Each has 0 as its word for "none".

use std::time::Duration;

use ansible_module::fault::Fault;

/// A time in Open vSwitch's database may have 64 bits, but ovs-vswitchd computes with a C `int`: a longer one would wrap
/// around to some other.
const LONGEST: i64 = i32::MAX as i64;

/// A VLAN tag, or 0 where that takes it away.
pub fn vlan(option: &str, number: i64, zero_takes_away: bool) -> Result<u16, Fault> {
    let lowest = i64::from(!zero_takes_away);
    match u16::try_from(number) {
        Ok(vlan) if vlan <= 4094 && number >= lowest => Ok(vlan),
        _ => Err(Fault::new(
            "invalid_vlan",
            format!("option `{option}`: {number} is not a VLAN; hint: {lowest} to 4094"),
        )),
    }
}

/// How long to wait; 0 does not.
pub fn wait(option: &str, seconds: i64) -> Result<Option<Duration>, Fault> {
    match u64::try_from(seconds) {
        Ok(seconds) => Ok((seconds > 0).then(|| Duration::from_secs(seconds))),
        Err(_) => Err(Fault::new(
            "invalid_number",
            format!("option `{option}`: {seconds} is not a number of seconds; hint: 0 does not wait"),
        )),
    }
}

/// An MTU in bytes, or 0 to take it away: from what IPv6 needs to what Proxmox takes.
pub fn mtu(option: &str, number: i64) -> Result<u32, Fault> {
    zero_or(option, number, 1280, 65520, "bytes")
}

/// How long ovs-vswitchd waits before it uses a link that came up, or leaves one that went down: milliseconds.
pub fn delay(option: &str, number: i64) -> Result<u32, Fault> {
    zero_or(option, number, 1, LONGEST, "milliseconds")
}

/// How often ovs-vswitchd moves load between members: milliseconds, or 0 for never. It would take less than 1000 for
/// 1000.
pub fn rebalance_interval(option: &str, number: i64) -> Result<u32, Fault> {
    zero_or(option, number, 1000, LONGEST, "milliseconds")
}

fn zero_or(option: &str, number: i64, lowest: i64, highest: i64, unit: &str) -> Result<u32, Fault> {
    let fits = number == 0 || (lowest..=highest).contains(&number);
    u32::try_from(number).ok().filter(|_| fits).ok_or_else(|| {
        Fault::new(
            "invalid_number",
            format!("option `{option}`: {number} is out of range; hint: {lowest} to {highest} {unit}, or 0 for none"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vlans_are_1_to_4094() {
        assert_eq!(vlan("tag", 10, true), Ok(10));
        assert_eq!(vlan("tag", 0, true), Ok(0));
        for (number, zero) in [(0, false), (4095, true), (-1, true), (70000, true)] {
            assert_eq!(vlan("tag", number, zero).unwrap_err().code, "invalid_vlan");
        }
    }

    #[test]
    fn numbers_are_what_takes_them_away_or_in_their_range() {
        type Check = fn(&str, i64) -> Result<u32, Fault>;
        for (check, good, bad) in [
            (mtu as Check, [0, 1280, 9000, 65520].as_slice(), [-1, 1, 1279, 65521, i64::MAX].as_slice()),
            (delay, &[0, 1, 200, 2_147_483_647], &[-1, 2_147_483_648, i64::MIN]),
            (rebalance_interval, &[0, 1000, 10_000, 2_147_483_647], &[-1, 1, 999, 2_147_483_648]),
        ] {
            for number in good {
                assert_eq!(check("option", *number).map(i64::from), Ok(*number));
            }
            for number in bad {
                let fault = check("option", *number).unwrap_err();
                assert_eq!(fault.code, "invalid_number", "{number}");
                assert!(fault.message.contains(&format!("option `option`: {number} ")), "{}", fault.message);
            }
        }
    }
}
