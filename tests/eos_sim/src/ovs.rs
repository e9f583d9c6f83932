//! stub
use crate::dataplane::{DataPlane, Intent, Status};
/// x
pub struct Ovs;
impl Ovs {
    /// x
    pub fn new(_b: &str) -> Self {
        Self
    }
}
impl DataPlane for Ovs {
    fn apply(&mut self, _: &Intent) -> anyhow::Result<()> {
        Ok(())
    }
    fn status(&mut self) -> anyhow::Result<Status> {
        Ok(Status::default())
    }
}
