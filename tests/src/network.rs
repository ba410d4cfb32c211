//! Hosts of their own: network namespaces of the Linux kernel, each joined to a first one by a pair of virtual interfaces.
//!
//! Nothing of it touches the network that the tests run in.

use std::process::Command;

use crate::succeed;

/// A network of one host in the middle and others around it. It is removed when the value is dropped.
#[derive(Debug)]
pub struct Network {
    prefix: String,
    made: Vec<String>,
}

impl Network {
    /// A network of a middle and `hosts` others.
    ///
    /// # Panics
    ///
    /// The kernel makes no namespaces for this user.
    #[must_use]
    pub fn new(hosts: u8) -> Self {
        let mut network = Self {
            prefix: format!("iiswsgi-{}", std::process::id()),
            made: Vec::new(),
        };
        network.make("middle");
        for host in 1..=hosts {
            let name = network.make(&host.to_string());
            let middle = network.name("middle");
            // Each pair of interfaces is a network of two addresses.
            ip(&format!(
                "-n {middle} link add to-{host} type veth peer name eth netns {name}"
            ));
            ip(&format!(
                "-n {middle} addr add 10.77.{host}.1/30 dev to-{host}"
            ));
            ip(&format!("-n {middle} link set to-{host} up"));
            ip(&format!(
                "-n {name} addr add {}/30 dev eth",
                Self::address(host)
            ));
            ip(&format!("-n {name} link set eth up"));
        }
        network
    }

    fn make(&mut self, host: &str) -> String {
        let name = self.name(host);
        let output = Command::new("ip").args(["netns", "add", &name]).output();
        let output = output.expect("`ip` of iproute2 is installed");
        assert!(
            output.status.success(),
            "the kernel makes no network namespaces for this user, which this test cannot do without: run it as root, in a \
             container with the capability CAP_SYS_ADMIN\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        self.made.push(name.clone());
        ip(&format!("-n {name} link set lo up"));
        name
    }

    fn name(&self, host: &str) -> String {
        format!("{}-{host}", self.prefix)
    }

    /// The address of a host, counted from 1, as the middle sees it.
    #[must_use]
    pub fn address(host: u8) -> String {
        format!("10.77.{host}.2")
    }

    /// The address of the middle, as that host sees it.
    #[must_use]
    pub fn middle_address(host: u8) -> String {
        format!("10.77.{host}.1")
    }

    /// A command that runs on a host.
    #[must_use]
    pub fn on(&self, host: u8, command: &Command) -> Command {
        self.within(&host.to_string(), command)
    }

    /// A command that runs in the middle.
    #[must_use]
    pub fn in_the_middle(&self, command: &Command) -> Command {
        self.within("middle", command)
    }

    /// `ip netns exec` becomes the command, so that its process is the command's own.
    fn within(&self, host: &str, command: &Command) -> Command {
        let mut within = Command::new("ip");
        within
            .args(["netns", "exec", &self.name(host)])
            .arg(command.get_program())
            .args(command.get_args())
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
        within
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for name in &self.made {
            let _ = Command::new("ip").args(["netns", "del", name]).status();
        }
    }
}

fn ip(arguments: &str) {
    succeed(Command::new("ip").args(arguments.split(' ')));
}
