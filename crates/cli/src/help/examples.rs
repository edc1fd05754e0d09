//! What people type, for each command.
//!
//! In one place rather than beside each command, so that they can be read together, and a test can try them all.

/// Examples of the command that is typed as `path`, such as `tasks list`.
pub fn of(path: &str) -> Option<&'static [&'static str]> {
    let found = EXAMPLES.iter().find(|(command, _)| *command == path);
    found.map(|(_, lines)| *lines)
}

/// The commands that have examples.
#[cfg(test)]
pub fn paths() -> impl Iterator<Item = &'static str> {
    EXAMPLES.iter().map(|(path, _)| *path)
}

const EXAMPLES: &[(&str, &[&str])] = &[
    (
        "run",
        &[
            "mcpanel run conversations.csv --out results",
            "mcpanel run --resume --out results",
        ],
    ),
    (
        "serve",
        &[
            "mcpanel serve",
            "mcpanel serve --data /var/lib/mcpanel --http 0.0.0.0:8080",
            "mcpanel serve --role api --drain-seconds 25",
        ],
    ),
    (
        "dev",
        &[
            "mcpanel dev",
            "mcpanel dev --data here --http 127.0.0.1:9000",
        ],
    ),
    (
        "store copy",
        &[
            "mcpanel store copy --from mcpanel-data --to mongodb://db1,db2,db3/mcpanel?replicaSet=rs0",
            "mcpanel store copy --from mongodb://db1/mcpanel?replicaSet=rs0 --to mcpanel-data",
        ],
    ),
    ("migrate", &["mcpanel migrate --data /var/lib/mcpanel"]),
    (
        "agents list",
        &[
            "mcpanel agents list",
            "mcpanel agents list --status active --watch",
            "mcpanel agents list -o wide --columns agent,version,slots",
        ],
    ),
    (
        "agents get",
        &[
            "mcpanel agents get bias-1",
            "mcpanel agents get bias-1 -o yaml",
        ],
    ),
    (
        "agents run",
        &[
            "mcpanel agents run --url https://panel.example.org --token-file agents.key",
            "mcpanel agents run --concurrency 4 --scratch /var/tmp",
        ],
    ),
    (
        "agents discover",
        &[
            "mcpanel agents discover",
            "mcpanel agents discover --capability bias_detection -o json",
        ],
    ),
    (
        "agents drain",
        &[
            "mcpanel agents drain bias-1",
            "mcpanel agents drain bias-1 bias-2 --wait --timeout 10m",
        ],
    ),
    (
        "agents update",
        &[
            "mcpanel agents update bias-1 --version 2.1.0 --concurrency 8",
            "mcpanel agents update bias-1 --capability bias_detection,validation --if-revision 7",
        ],
    ),
    ("agents resume", &["mcpanel agents resume bias-1 bias-2"]),
    ("agents disable", &["mcpanel agents disable bias-1"]),
    (
        "agents delete",
        &[
            "mcpanel agents delete bias-1 --dry-run",
            "mcpanel agents delete bias-1 --yes",
        ],
    ),
    (
        "tasks submit",
        &[
            "mcpanel tasks submit tasks.jsonl",
            "mcpanel tasks submit tasks.jsonl --dry-run",
            "mcpanel tasks submit --type count_words -p '{\"text\": \"how are you\"}'",
            "jq -c '.[]' tasks.json | mcpanel tasks submit - -o name",
        ],
    ),
    (
        "tasks list",
        &[
            "mcpanel tasks list --status failed",
            "mcpanel tasks list --pipeline pipe_1 --stage 3 --all -o jsonl",
            "mcpanel tasks list --text 'no column' --ended-since 24h",
            "mcpanel tasks list --status running --watch",
        ],
    ),
    (
        "tasks get",
        &[
            "mcpanel tasks get task_1",
            "mcpanel tasks get task_1 -o json | jq .result",
        ],
    ),
    (
        "tasks watch",
        &[
            "mcpanel tasks watch task_1 task_2",
            "mcpanel tasks watch task_1 -o jsonl --timeout 10m",
        ],
    ),
    (
        "tasks update",
        &[
            "mcpanel tasks update task_1 --priority 100",
            "mcpanel tasks update task_1 --run-now --no-deadline",
            "mcpanel tasks update task_1 --retry-config '{\"maxRetries\": 5}' --after task_2",
        ],
    ),
    (
        "tasks cancel",
        &[
            "mcpanel tasks cancel task_1 --reason 'wrong file'",
            "mcpanel tasks cancel --pipeline pipe_1 --stage 3 --dry-run",
            "mcpanel tasks cancel --type bias_detection --since 2h --yes --wait",
        ],
    ),
    (
        "tasks retry",
        &[
            "mcpanel tasks retry task_1 task_2",
            "mcpanel tasks retry --status failed --ended-since 1h --text timeout --yes --wait",
        ],
    ),
    (
        "tasks errors",
        &[
            "mcpanel tasks errors",
            "mcpanel tasks errors --range 24h -o json",
        ],
    ),
    (
        "ops list",
        &[
            "mcpanel ops list",
            "mcpanel ops list --status running --watch",
        ],
    ),
    ("ops get", &["mcpanel ops get op_1"]),
    ("ops watch", &["mcpanel ops watch op_1 --timeout 1h"]),
    ("ops abort", &["mcpanel ops abort op_1 --yes"]),
    ("queues", &["mcpanel queues", "mcpanel queues --watch"]),
    (
        "history",
        &["mcpanel history", "mcpanel history --range 7d -o json"],
    ),
    (
        "metrics",
        &[
            "mcpanel metrics",
            "mcpanel metrics --all -o json",
            "mcpanel metrics --raw",
        ],
    ),
    (
        "tasks delegate",
        &[
            "mcpanel tasks delegate task_1",
            "mcpanel tasks delegate task_1 --to bias-1",
        ],
    ),
    ("tasks explain", &["mcpanel tasks explain task_1"]),
    ("tasks attempts", &["mcpanel tasks attempts task_1"]),
    (
        "tasks logs",
        &[
            "mcpanel tasks logs task_1 --follow",
            "mcpanel tasks logs task_1 --level error --attempt 2",
        ],
    ),
    (
        "tasks wait",
        &[
            "mcpanel tasks wait task_1 --for completed --timeout 10m",
            "mcpanel tasks wait task_1 task_2 --for ended -o name",
        ],
    ),
    (
        "pipelines create",
        &[
            "mcpanel pipelines create --template techdeck --upload data.csv",
            "mcpanel pipelines create pipeline.json --execute",
            "mcpanel pipelines create --template techdeck --upload data.csv --watch --timeout 2h",
        ],
    ),
    (
        "pipelines run",
        &["mcpanel pipelines run --template techdeck --upload data.csv --watch"],
    ),
    (
        "pipelines list",
        &[
            "mcpanel pipelines list --status running --watch",
            "mcpanel pipelines list --tag nightly -o name",
        ],
    ),
    ("pipelines get", &["mcpanel pipelines get pipe_1"]),
    (
        "pipelines progress",
        &[
            "mcpanel pipelines progress pipe_1",
            "mcpanel pipelines progress pipe_1 -o json",
        ],
    ),
    (
        "pipelines execute",
        &[
            "mcpanel pipelines execute pipe_1",
            "mcpanel pipelines execute pipe_1 --stage 1",
        ],
    ),
    (
        "pipelines watch",
        &[
            "mcpanel pipelines watch pipe_1",
            "mcpanel pipelines watch pipe_1 pipe_2 -o jsonl",
        ],
    ),
    (
        "pipelines cancel",
        &["mcpanel pipelines cancel pipe_1 --reason 'wrong file' --yes"],
    ),
    (
        "pipelines retry",
        &[
            "mcpanel pipelines retry pipe_1",
            "mcpanel pipelines retry pipe_1 --from-stage 3",
        ],
    ),
    (
        "pipelines retry-stage",
        &["mcpanel pipelines retry-stage pipe_1 3"],
    ),
    (
        "pipelines update",
        &["mcpanel pipelines update pipe_1 --name 'March, corrected' --tag nightly"],
    ),
    (
        "pipelines wait",
        &["mcpanel pipelines wait pipe_1 pipe_2 --timeout 2h"],
    ),
    ("templates list", &["mcpanel templates list"]),
    (
        "templates get",
        &[
            "mcpanel templates get techdeck",
            "mcpanel templates get techdeck --template-version 1 -o json > techdeck.json",
        ],
    ),
    (
        "templates create",
        &[
            "mcpanel templates create mine.json --dry-run",
            "mcpanel templates create mine.json",
        ],
    ),
    (
        "artifacts list",
        &[
            "mcpanel artifacts list --pipeline pipe_1 --role dataset",
            "mcpanel artifacts list --task task_1 -o name",
        ],
    ),
    ("artifacts get", &["mcpanel artifacts get art_1"]),
    (
        "artifacts download",
        &[
            "mcpanel artifacts download art_1 --to results/",
            "mcpanel artifacts download art_1 --to - | head",
        ],
    ),
    (
        "artifacts upload",
        &["mcpanel artifacts upload data.csv.gz -o name"],
    ),
    (
        "artifacts delete",
        &["mcpanel artifacts delete art_1 art_2 --yes"],
    ),
    (
        "events list",
        &[
            "mcpanel events list --last 1000 --type task:failed",
            "mcpanel events list --pipeline pipe_1 --all -o jsonl",
        ],
    ),
    (
        "events tail",
        &[
            "mcpanel events tail",
            "mcpanel events tail --type pipeline: -o jsonl",
            "mcpanel events tail --last 100 --agent bias-1",
        ],
    ),
    (
        "keys create",
        &[
            "mcpanel keys create nightly -p pipeline:create,pipeline:read --expires 30d",
            "mcpanel keys create agents -p agent:register --secret-file agents.key",
        ],
    ),
    ("keys list", &["mcpanel keys list"]),
    ("keys revoke", &["mcpanel keys revoke key_1 --yes"]),
    (
        "auth login",
        &[
            "mcpanel auth login --url https://panel.example.org",
            "mcpanel auth login --context prod --token-file prod.key",
        ],
    ),
    ("auth logout", &["mcpanel auth logout --context prod"]),
    (
        "auth whoami",
        &["mcpanel auth whoami", "mcpanel auth whoami -o name"],
    ),
    (
        "auth token",
        &[
            "export MCPANEL_TOKEN=$(mcpanel auth token --expires 15m)",
            "mcpanel auth token -p task:read,event:read -o json",
        ],
    ),
    (
        "context add",
        &[
            "mcpanel context add prod --url https://panel.example.org --token-file prod.key",
            "mcpanel context add local --url http://127.0.0.1:8080 --use",
        ],
    ),
    ("context use", &["mcpanel context use prod"]),
    ("context list", &["mcpanel context list"]),
    ("context remove", &["mcpanel context remove prod --yes"]),
    (
        "doctor",
        &[
            "mcpanel doctor",
            "mcpanel doctor --data /var/lib/mcpanel --http 0.0.0.0:8080 --strict",
            "mcpanel doctor --remote --context prod -o json",
        ],
    ),
    ("health", &["mcpanel health", "mcpanel health -o wide"]),
    ("services", &["mcpanel services"]),
    (
        "bench tasks",
        &["mcpanel bench tasks --tasks 100000 --connections 16 --batch 100"],
    ),
    (
        "bench latency",
        &["mcpanel bench latency --rate 1000 --seconds 10"],
    ),
    ("bench store", &["mcpanel bench store"]),
    (
        "bench sockets",
        &[
            "mcpanel bench sockets --clients 1000",
            "mcpanel bench sockets --clients 0 --idle 10000",
        ],
    ),
    (
        "healthcheck",
        &[
            "mcpanel healthcheck --url http://127.0.0.1:8080",
            "mcpanel healthcheck --live",
        ],
    ),
    ("openapi", &["mcpanel openapi > openapi.json"]),
    (
        "completions",
        &[
            "mcpanel completions bash > /etc/bash_completion.d/mcpanel",
            "mcpanel completions zsh > ~/.zfunc/_mcpanel",
            "mcpanel completions fish > ~/.config/fish/completions/mcpanel.fish",
        ],
    ),
];
