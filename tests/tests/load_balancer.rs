//! HAProxy as the load balancer of gateways on four hosts, under load: one is killed, one is drained, and no request is lost.
//!
//! The hosts are network namespaces. HAProxy is reached over a Unix socket, which is the same in all of them.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use iiswsgi_tests::network::Network;
use iiswsgi_tests::{PATIENCE, Server, iiswsgi, root, succeed, wait_for};

const HOSTS: u8 = 4;
const CLIENTS: usize = 4;
const PORT: u16 = 9000;

/// How many requests a host serves before it is believed to serve.
const ENOUGH: usize = 50;

/// HAProxy's configuration. What is written about retries is from its configuration manual, section 4.2, `retry-on`: a request
/// that a server has taken and not answered goes to another one.
fn configuration(folder: &Utf8Path) -> String {
    let servers: String = (1..=HOSTS)
        .map(|host| {
            format!(
                "  server host{host} {}:{PORT} proto fcgi check\n",
                Network::address(host)
            )
        })
        .collect();
    format!(
        "global
  maxconn 200
  stats socket {folder}/admin.sock level admin
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  retries 5
  option redispatch 1
  retry-on conn-failure empty-response
fcgi-app gateway
  docroot /
  path-info ^()(/.*)$
  option keep-conn
frontend web
  bind unix@{folder}/web.sock
  default_backend hosts
backend hosts
  balance roundrobin
  use-fcgi-app gateway
  default-server inter 200ms fall 2 rise 2
{servers}"
    )
}

/// What the clients have seen.
#[derive(Debug, Default)]
struct Seen {
    /// Requests by the host that has served them.
    served: BTreeMap<String, usize>,
    lost: Vec<String>,
}

struct Balanced {
    network: Network,
    folder: Utf8PathBuf,
    seen: Mutex<Seen>,
    stop: AtomicBool,
}

impl Balanced {
    /// Starts the gateway of a host, and waits until it listens.
    fn gateway(&self, host: u8) -> Server {
        let log = self.folder.join(format!("{host}.log"));
        let _ = fs::remove_file(&log);
        let mut command = iiswsgi();
        let folder = root().join("tests/applications");
        command
            .args(["serve", "probe:application", "--threads", "4"])
            .args(["--chdir", folder.as_str()])
            .args(["--tcp", &format!("{}:{PORT}", Network::address(host))])
            .args(["--log-file", log.as_str()])
            .env("FCGI_WEB_SERVER_ADDRS", Network::middle_address(host))
            .env("PROBE_HOST", format!("host{host}"));
        let gateway = Server::start(&mut self.network.on(host, &command));
        wait_for("the gateway to listen", || {
            let log = fs::read_to_string(&log).ok()?;
            log.contains("serving").then_some(())
        });
        gateway
    }

    /// One client: a request after the other, each of which has to be answered.
    fn client(&self, client: usize) {
        for number in 0_usize.. {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let query = format!("{client}-{number}");
            let outcome = self
                .request("/host", &query)
                .map_err(|error| error.to_string());
            let mut seen = self.seen.lock().expect("no client panics");
            match outcome.as_deref().map(|body| body.split_once(' ')) {
                Ok(Some((host, found))) if found == query => {
                    *seen.served.entry(host.to_owned()).or_default() += 1;
                }
                _ => seen.lost.push(format!("{query}: {outcome:?}")),
            }
        }
    }

    /// The body of an answer with status 200.
    fn request(&self, path: &str, query: &str) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(self.folder.join("web.sock"))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let head =
            format!("GET {path}?{query} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.to_owned()),
            _ => Err(std::io::Error::other(answer)),
        }
    }

    /// Tells HAProxy something, as its management guide, section 9.3, has it.
    fn command(&self, command: &str) -> String {
        let mut stream = UnixStream::connect(self.folder.join("admin.sock")).expect("HAProxy");
        stream
            .write_all(format!("{command}\n").as_bytes())
            .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// A column of HAProxy's statistics of a host.
    fn statistic(&self, host: &str, column: &str) -> String {
        let table = self.command("show stat");
        let mut rows = table
            .lines()
            .map(|line| line.split(',').collect::<Vec<_>>());
        let names = rows.next().expect("a first line");
        let at = names
            .iter()
            .position(|name| *name == column)
            .expect("the column");
        let row = rows.find(|row| row.get(..2) == Some(&["hosts", host]));
        row.expect("the host")[at].to_owned()
    }

    fn served(&self) -> BTreeMap<String, usize> {
        self.seen.lock().expect("no client panics").served.clone()
    }

    /// Waits until each of the hosts has served some more requests, and returns how many the others have meanwhile.
    fn wait_until_served_by(&self, hosts: &[&str]) -> BTreeMap<String, usize> {
        let before = self.served();
        let since = |host: &str, now: &BTreeMap<String, usize>| {
            now.get(host).unwrap_or(&0) - before.get(host).unwrap_or(&0)
        };
        let now = wait_for(&format!("{hosts:?} to serve"), || {
            let now = self.served();
            let all = hosts.iter().all(|host| since(host, &now) >= ENOUGH);
            all.then_some(now)
        });
        now.keys()
            .map(|host| (host.clone(), since(host, &now)))
            .collect()
    }

    fn wait_until(&self, host: &str, status: &str) {
        wait_for(&format!("{host} to be {status}"), || {
            self.statistic(host, "status")
                .starts_with(status)
                .then_some(())
        });
    }

    fn wait_until_all_are_up(&self) {
        for host in 1..=HOSTS {
            self.wait_until(&format!("host{host}"), "UP");
        }
    }

    /// The hosts that have had the request that is held.
    fn holders(&self) -> Vec<u8> {
        let held = |host: &u8| self.folder.join(format!("held-by-host{host}")).exists();
        (1..=HOSTS).filter(held).collect()
    }

    /// What happens to the hosts while the clients ask. Returns the gateways that run at the end.
    fn story(&self, gateways: Vec<Server>) -> Vec<Server> {
        let mut gateways: BTreeMap<u8, Server> = (1..).zip(gateways).collect();
        let mut take = |host| gateways.remove(&host).expect("it runs");
        let all = ["host1", "host2", "host3", "host4"];
        self.wait_until_served_by(&all);

        // One is killed while it has a request.
        let killed = std::thread::scope(|scope| {
            let held = scope.spawn(|| self.request("/hold", self.folder.as_str()));
            let killed = wait_for("the request to be held", || self.holders().pop());
            let gateway = take(killed);
            let mut kill = Command::new("kill");
            succeed(kill.args(["-KILL", &gateway.pid().to_string()]));
            drop(gateway);
            wait_for("another host to take the request", || {
                (self.holders().len() > 1).then_some(())
            });
            fs::write(self.folder.join("go"), "").expect("a file");
            let answer = held.join().expect("the client").expect("an answer");
            assert!(answer.ends_with(self.folder.as_str()), "{answer}");
            killed
        });
        let mut others = (1..=HOSTS).filter(|host| *host != killed);
        let [drained, ended, last] = std::array::from_fn(|_| others.next().expect("a host"));
        let [dead, drains, ends, stays] =
            [killed, drained, ended, last].map(|host| format!("host{host}"));
        self.wait_until(&dead, "DOWN");
        let served = self.wait_until_served_by(&[&drains, &ends, &stays]);
        // Answers that a client has had and not yet counted are all there can be.
        assert!(served[&dead] <= CLIENTS, "a dead host serves: {served:?}");

        // One is drained: HAProxy gives it nothing more, and it ends when it has served what it has.
        let answer = self.command(&format!("set server hosts/{drains} state drain"));
        assert_eq!(answer.trim(), "");
        self.wait_until(&drains, "DRAIN");
        wait_for("the drained host to have no requests", || {
            (self.statistic(&drains, "scur") == "0").then_some(())
        });
        let served = self.wait_until_served_by(&[&ends, &stays]);
        assert!(
            served[&drains] <= CLIENTS,
            "a drained host serves: {served:?}"
        );
        take(drained).stop();

        // One is told to end and HAProxy is not: it serves what it has taken, and the next goes elsewhere.
        take(ended).stop();
        self.wait_until(&ends, "DOWN");
        self.wait_until_served_by(&[&stays]);

        // All come back.
        let mut running: Vec<Server> = [killed, drained, ended]
            .map(|host| self.gateway(host))
            .into();
        self.command(&format!("set server hosts/{drains} state ready"));
        self.wait_until_all_are_up();
        self.wait_until_served_by(&all);
        running.push(take(last));
        running
    }
}

#[test]
fn one_host_is_killed_and_one_drained_and_nothing_is_lost() {
    let scratch = tempfile::Builder::new()
        .prefix("iiswsgi-balancer-")
        .tempdir()
        .expect("a folder");
    let folder = Utf8Path::from_path(scratch.path()).expect("a Unicode path");
    let balanced = Balanced {
        network: Network::new(HOSTS),
        folder: folder.to_owned(),
        seen: Mutex::default(),
        stop: AtomicBool::new(false),
    };
    let path = folder.join("haproxy.conf");
    fs::write(&path, configuration(folder)).expect("HAProxy's configuration");
    let mut haproxy = Command::new("haproxy");
    haproxy.args(["-db", "-f", path.as_str()]);
    let haproxy = Server::start(&mut balanced.network.in_the_middle(&haproxy));
    wait_for("HAProxy", || {
        UnixStream::connect(folder.join("admin.sock")).ok()
    });
    let gateways = (1..=HOSTS).map(|host| balanced.gateway(host)).collect();
    balanced.wait_until_all_are_up();
    let running = std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let balanced = &balanced;
            scope.spawn(move || balanced.client(client));
        }
        let told =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| balanced.story(gateways)));
        balanced.stop.store(true, Ordering::Relaxed);
        told.expect("the story")
    });
    // The clients have had their last answers.
    running.into_iter().for_each(Server::stop);
    drop(haproxy);
    let seen = balanced.seen.into_inner().expect("no client panics");
    println!("{:?}", seen.served);
    assert!(
        seen.lost.is_empty(),
        "{} requests are lost: {:#?}",
        seen.lost.len(),
        seen.lost.iter().take(5).collect::<Vec<_>>()
    );
    drop(balanced.network);
}
