//! Topics of their own: `mcpanel help exit-codes`, `environment`, `output`.

use std::collections::BTreeMap;

use clap::Command;

/// How topics are shown: without the options that no topic has.
pub const TEMPLATE: &str = "{about}\n\n{after-help}\n";

/// What the help of the whole says at its end.
pub const LIST: &str = "\
Topics:
  mcpanel help exit-codes   what exit codes mean, for scripts
  mcpanel help environment  the variables that are read
  mcpanel help output       formats, columns, colours, watching";

/// The variables that are read, but for those of options.
const ENVIRONMENT: &str = "\
What was typed comes first, then the environment, then the context, then the default.

For commands that speak to a server:
  MCPANEL_URL            the server, such as http://127.0.0.1:8080
  MCPANEL_CONTEXT        the context to use
  MCPANEL_API_KEY        the API key to show it
  MCPANEL_TOKEN          the token to show it, where there is no key
  MCPANEL_NAMESPACE      whose documents are meant, for administrators
  MCPANEL_CA_FILE        a PEM file with the authorities whose certificates are trusted
  SSL_CERT_FILE          replaces the authorities of this system
  MCPANEL_ALLOW_HTTP     `1`: the credential may travel to another machine without encryption
  MCPANEL_DATA           a data folder on this machine, which holds the administrator's key
  XDG_CONFIG_HOME        holds mcpanel/config.toml with the contexts; ~/.config when unset

For people:
  NO_COLOR               no colours, whatever its value
  CLICOLOR_FORCE         colours also where nobody looks
  TERM                   `dumb`: no colours, nothing is redrawn
  MCPANEL_LOG            what is logged in detail, such as `info,mcpanel_control=debug`

Secrets of servers, which are never options:
  MCPANEL_ADMIN_KEY      the administrator's key, instead of one that is made
  JWT_SECRET             signs tokens, instead of one that is made; the same for all instances

Instead of options:";

/// The names of the variables that are read, but for those of options.
pub fn variables() -> impl Iterator<Item = &'static str> {
    let listed = ENVIRONMENT
        .lines()
        .filter_map(|line| line.strip_prefix("  "));
    listed.filter_map(|line| line.split_whitespace().next())
}

/// The variables that are read, with those of the options of `command` and below.
pub fn environment(command: &Command) -> String {
    let mut named = BTreeMap::new();
    collect(command, "", &mut named);
    let lines = named
        .into_iter()
        .map(|(variable, options)| format!("\n  {variable:<22} {}", options.join(", ")));
    let options: String = lines.collect();
    format!("{ENVIRONMENT}{options}\n\n`mcpanel doctor` names variables that nothing reads.")
}

fn collect(command: &Command, path: &str, named: &mut BTreeMap<String, Vec<String>>) {
    for option in command.get_arguments() {
        if let (Some(variable), Some(long)) = (option.get_env(), option.get_long()) {
            let variable = variable.to_string_lossy().into_owned();
            let options = named.entry(variable).or_default();
            options.push(format!("`{} --{long}`", path.trim_start()));
        }
    }
    for below in command.get_subcommands() {
        collect(below, &format!("{path} {}", below.get_name()), named);
    }
}

/// Formats, columns, colours, watching.
pub const OUTPUT: &str = "\
Data goes to stdout, everything else to stderr: notes, progress, errors.

Formats (-o, --output):
  table   for people; in a pipe tab-separated, uncut, without colour, times in full
  wide    the same with more columns
  json    the API's own documents, indented; a list is an array
  jsonl   the same, a document a line
  yaml    the same as YAML
  name    ids alone, one a line

  --columns task,status   these columns alone, in this order, of a table
  `tasks submit FILE` answers jsonl in a pipe, in the order of the file.
  Streams (`events tail`, `tasks logs`, `watch`) write a document a line for json, too.

Watching:
  --watch on lists redraws on a terminal; in a pipe it writes what is new or changed as jsonl.
  Progress is one bar for a pipeline, with a segment for each stage; where nothing can be redrawn, a line
  when a stage ends and every ten seconds.

Colours (--color auto|always|never):
  auto heeds NO_COLOR, CLICOLOR_FORCE and TERM=dumb. Tables in a pipe never have colours.

Less and more: --quiet leaves errors alone on stderr; -v and -vv log what is done.";
