//! The picture: processor time of every peer for every workload.

use serde_json::json;

use super::servers::{Bench, PEERS};
use super::{Measured, WORKLOADS};
use crate::run::{Result, Step};
use crate::workspace::root;

/// What shows the picture in `docs/speed.md`.
pub(super) const MARKDOWN: &str = "\n![Processor time a request](speed-gateway.png)\n";

/// Draws one group of bars for each workload, as multiples of uWSGI's time: Python's matplotlib has the axes.
const SCRIPT: &str = r#"
import json, sys
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt

data = json.loads(sys.argv[1])
peers, workloads = data["peers"], data["workloads"]
figure, axes = plt.subplots(figsize=(10, 5))
width = 0.8 / len(peers)
for number, peer in enumerate(peers):
    places = [place + (number - (len(peers) - 1) / 2) * width for place in range(len(workloads))]
    bars = axes.bar(places, peer["times"], width, label=peer["name"])
    axes.bar_label(bars, fmt="%.2g", fontsize=7, padding=1)
axes.plot([], [], color="black", linewidth=2, label="goal of iiswsgi")
for place, workload in enumerate(workloads):
    left = place - 0.4
    axes.plot([left, left + width], [workload["goal"]] * 2, color="black", linewidth=2)
axes.axhline(1, color="gray", linewidth=0.8, zorder=0)
axes.set_yscale("log")
axes.set_xticks(range(len(workloads)), [workload["name"] for workload in workloads])
axes.set_ylabel("processor time a request, uWSGI = 1 (logarithmic)")
axes.set_title("One worker, CPython " + data["python"] + ", FastCGI over a Unix socket: less is better")
axes.legend(fontsize=8)
figure.tight_layout()
figure.savefig(sys.argv[2], dpi=110)
"#;

/// Draws `docs/speed-gateway.png`.
pub(super) fn draw(bench: &Bench, measured: &Measured) -> Result<()> {
    let python = bench.python.program("python");
    let version = Step::new(python.as_str(), &root())
        .args(["-c", "import platform; print(platform.python_version())"])
        .quiet_output()?;
    let times =
        |peer| WORKLOADS.map(|(workload, ..)| super::times(measured, peer, PEERS[1], workload));
    let data = json!({
        "python": version.trim(),
        "peers": PEERS.map(|peer| json!({"name": peer, "times": times(peer)})),
        "workloads": WORKLOADS.map(|(_, name, goal)| json!({"name": name, "goal": goal})),
    });
    Step::new(python, &root())
        .args(["-c", SCRIPT, &data.to_string()])
        .args([root().join("docs/speed-gateway.png").as_str()])
        .quiet_output()
        .map(|_| ())
}
