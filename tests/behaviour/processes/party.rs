//! Who takes part: a server and devices, each a process.

use super::network::Network;
use carburetor_tests::processes::{Served, TABLE};
use carburetor_tests::{Cluster, Database, Folder};
use diesel::pg::Pg;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// A server on a database, and devices beyond a network.
pub(super) struct Party {
    pub(super) database: Database,
    pub(super) network: Network,
    pub(super) devices: Vec<Device>,
    address: SocketAddr,
    server: Option<Process>,
}

/// A process, which is killed with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn participant(arguments: &[&str]) -> Process {
    let process = Command::new(env!("CARGO_BIN_EXE_participant"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    Process(process.unwrap())
}

impl Party {
    pub(super) fn new(cluster: &Cluster, devices: usize) -> Self {
        let database = cluster.database();
        database.psql(TABLE);
        Served::tracking::<Pg>()
            .install(&mut database.connect())
            .unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let network = Network::to(address);
        let url = format!("http://{}/all", network.address);
        let mut party = Party {
            database,
            network,
            address,
            devices: (0..devices)
                .map(|number| Device::new(&url, &format!("d{number}")))
                .collect(),
            server: None,
        };
        party.mend();
        party
    }

    pub(super) fn kill_server(&mut self) {
        self.server = None;
    }

    /// Starts what was killed, and mends what was cut.
    pub(super) fn mend(&mut self) {
        self.network.mend();
        if self.server.is_none() {
            let (url, address) = (self.database.url(), self.address.to_string());
            let mut server = participant(&["server", &url, &address]);
            let mut line = String::new();
            let said = server.0.stdout.take().unwrap();
            BufReader::new(said).read_line(&mut line).unwrap();
            assert_eq!(line.trim(), "listening");
            self.server = Some(server);
        }
        for device in &mut self.devices {
            device.start();
        }
    }

    /// How many rows the server has, and how far they have been counted.
    pub(super) fn count(&self) -> i64 {
        let sum = self
            .database
            .text("(select coalesce(sum(value), 0)::text from entries)");
        sum.parse().unwrap()
    }

    /// Everybody sends what is left; then all hold what the server has.
    pub(super) fn agree(&mut self) -> Vec<(String, i64)> {
        // The first round sends; what others sent after it comes with the second.
        for device in &mut self.devices {
            device.finish();
        }
        let held: Vec<_> = self.devices.iter().map(Device::look).collect();
        let rows = self
            .database
            .text("(select coalesce(string_agg(id || ' ' || value, ',' order by id collate \"C\"), '') from entries)");
        let rows: Vec<(String, i64)> = rows.split(',').map(pair).collect();
        for (number, held) in held.iter().enumerate() {
            assert_eq!(*held, rows, "device {number} differs from the server");
        }
        rows
    }

    /// They agree, and every number that was ever committed on a device stands, or a later one of that device.
    pub(super) fn ends_well(&mut self) {
        let held: BTreeMap<String, i64> = self.agree().into_iter().collect();
        let mut counted = 0;
        for device in &self.devices {
            assert_eq!(device.rejected(), [""; 0]);
            for (place, value) in device.said.lock().unwrap().iter() {
                counted += 1;
                assert!(
                    held.get(place).is_some_and(|held| held >= value),
                    "{place} was committed as {value}, and is {:?}",
                    held.get(place)
                );
            }
        }
        assert!(counted > 10, "hardly anything was counted: {counted}");
    }
}

fn pair(text: &str) -> (String, i64) {
    let (id, value) = text
        .split_once(' ')
        .unwrap_or_else(|| panic!("{text:?} is no pair"));
    (id.to_owned(), value.parse().unwrap())
}

/// A device, and what it has said.
pub(super) struct Device {
    folder: Folder,
    url: String,
    name: String,
    running: Option<(Process, JoinHandle<()>)>,
    /// The last number of each place that it said was committed.
    said: Arc<Mutex<BTreeMap<String, i64>>>,
    last: Arc<Mutex<Option<(String, i64)>>>,
    /// The changes that it has kept aside, with the reasons.
    rejected: Arc<Mutex<Vec<String>>>,
}

impl Device {
    fn new(url: &str, name: &str) -> Self {
        Device {
            folder: Folder::new(),
            url: url.to_owned(),
            name: name.to_owned(),
            running: None,
            said: Arc::default(),
            last: Arc::default(),
            rejected: Arc::default(),
        }
    }

    fn start(&mut self) {
        if self.running.is_some() {
            return;
        }
        let mut process = participant(&["device", &self.path(), &self.url, &self.name]);
        let out = process.0.stdout.take().unwrap();
        let (said, last) = (Arc::clone(&self.said), Arc::clone(&self.last));
        let rejected = Arc::clone(&self.rejected);
        let reading = std::thread::spawn(move || {
            let lines = BufReader::new(out).lines().map_while(Result::ok);
            // What it holds in the end is asked for later.
            for line in lines.filter(|line| !line.starts_with("has ")) {
                match line.strip_prefix("rejected ") {
                    Some(row) => rejected.lock().unwrap().push(row.to_owned()),
                    None => {
                        let (place, value) = pair(&line);
                        said.lock().unwrap().insert(place.clone(), value);
                        *last.lock().unwrap() = Some((place, value));
                    }
                }
            }
        });
        self.running = Some((process, reading));
    }

    /// Kills it between any two of its instructions.
    pub(super) fn kill(&mut self) {
        self.running = None;
    }

    /// The changes that it has kept aside, with the reasons.
    pub(super) fn rejected(&self) -> Vec<String> {
        self.rejected.lock().unwrap().clone()
    }

    /// The last number that it said was committed.
    pub(super) fn last_line(&mut self) -> Option<(String, i64)> {
        self.last.lock().unwrap().clone()
    }

    /// Lets it send what is left, and end.
    fn finish(&mut self) {
        self.start();
        if let Some((mut process, reading)) = self.running.take() {
            drop(process.0.stdin.take());
            reading.join().unwrap();
            let status = process.0.wait().unwrap();
            assert!(status.success(), "{} failed: {status}", self.name);
        }
    }

    /// What it holds after a last sync.
    fn look(&self) -> Vec<(String, i64)> {
        let mut process = participant(&["look", &self.path(), &self.url]);
        let out = process.0.stdout.take().unwrap();
        let lines = BufReader::new(out).lines().map(Result::unwrap);
        // What was rejected is known from the run before.
        lines
            .filter_map(|line| line.strip_prefix("has ").map(pair))
            .collect()
    }

    fn path(&self) -> String {
        self.folder.file("device").to_str().unwrap().to_owned()
    }
}
