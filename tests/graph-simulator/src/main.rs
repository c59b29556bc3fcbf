//! `graph-simulator`: the simulator as a program.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use graph_simulator::{MailboxOptions, Options, Simulator, fault_table};

/// Microsoft Graph's calendars, tasks and contacts on this machine, without a tenant.
///
/// Prints one line of JSON with its addresses, and runs until it is ended or its standard input is closed. State, faults
/// and counters are below /_simulator.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Options as JSON: tenant, applications, mailboxes, clock, seed.
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
    /// Port for http on 127.0.0.1; 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    http_port: Option<u16>,
    /// Port for https on localhost; 0 takes a free one.
    #[arg(long, value_name = "PORT")]
    https_port: Option<u16>,
    /// A mailbox, such as anna@contoso.example or anna@contoso.example=Europe/Berlin; may be repeated.
    #[arg(long, value_name = "ADDRESS[=ZONE]")]
    mailbox: Vec<String>,
    /// Where to write the certificate of the https port (PEM).
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Certificate (PEM) whose key may sign client assertions of the first application; may be repeated.
    #[arg(long, value_name = "FILE")]
    client_certificate: Vec<PathBuf>,
    /// End when standard input is closed: for a parent that must not leave it behind.
    #[arg(long)]
    until_input_closes: bool,
    /// Print all faults with the issue where each was seen, and end.
    #[arg(long)]
    list_faults: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut output = std::io::stdout();
    if arguments.list_faults {
        return Ok(output.write_all(fault_table().as_bytes())?);
    }
    let mut options: Options = match &arguments.options {
        Some(path) => {
            let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            serde_json::from_slice(&text).with_context(|| format!("{} is no set of options", path.display()))?
        }
        None => Options::default(),
    };
    options.http_port = arguments.http_port.unwrap_or(options.http_port);
    options.https_port = arguments.https_port.unwrap_or(options.https_port);
    if !arguments.mailbox.is_empty() {
        let mailbox = |text: &String| match text.split_once('=') {
            Some((address, zone)) => MailboxOptions::new(address, zone),
            None => MailboxOptions::new(text, "UTC"),
        };
        options.mailboxes = arguments.mailbox.iter().map(mailbox).collect();
    }
    for path in &arguments.client_certificate {
        let pem = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let application = options.applications.first_mut().context("there is no application for the certificate")?;
        application.certificates.push(pem);
    }
    let simulator = Simulator::start(options).context("cannot start")?;
    if let Some(path) = &arguments.certificate {
        std::fs::write(path, simulator.certificate()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let line = serde_json::json!({
        "http": simulator.base_url(),
        "https": simulator.https_url(),
        "certificate": arguments.certificate,
    });
    writeln!(output, "{line}")?;
    output.flush()?;
    if arguments.until_input_closes {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
        return Ok(());
    }
    loop {
        std::thread::park();
    }
}
