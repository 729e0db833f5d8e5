//! `daypass up`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use daypass_compute::{Driver, Event};
use daypass_core::objects::upstream::{Attached, RootCertStore};
use daypass_core::store::Store;
use daypass_core::wire::Hosts;
use daypass_core::{
    Attempts, Entropy, Gate, Identities, InstanceSupport, Kept, KeyRing, Opened, Organizations, ProviderKeys,
    Quotas, RootKey, State, administrator, outbox,
};
use daypass_s3::Attachments;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_rustls::TlsAcceptor;

use crate::cli::{LogFormat, Up};
use crate::data::{DataDirectory, Settings};
use crate::deliveries::Deliveries;
use crate::server::http::{self, Stop};
use crate::server::{Server, is_loopback, operations, tls};
use crate::system::{SystemClock, SystemEntropy};
use crate::web::{SystemWeb, known_authorities};
use crate::{admin, background, confine, data, instances, objects};

pub(crate) fn run(arguments: Up) -> Result<ExitCode> {
    log_to_standard_error(arguments.log_format);
    if arguments.check {
        return instances::check(&data::directory(arguments.data.directory)?);
    }
    if !is_loopback(arguments.listen.ip()) && arguments.tls_cert.is_none() && !arguments.insecure_listen {
        bail!(
            "`{}` is not loopback: give `--tls-cert` and `--tls-key`, or say `--insecure-listen` if you know who can see the traffic",
            arguments.listen
        );
    }
    keep_memory_private();
    // What the server writes is its owner's alone.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    let directory = DataDirectory::open(data::directory(arguments.data.directory.clone())?)?;
    admin::backup::clear(directory.path())?;
    let prepared = prepare(arguments, directory)?;
    // Everything that needs more than the data directory is open now.
    confine::confine(prepared.directory.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the runtime")?;
    runtime.block_on(serve(prepared))?;
    Ok(ExitCode::SUCCESS)
}

/// What a server starts from: files read, sockets open, the privileged child started.
struct Prepared {
    directory: DataDirectory,
    root: RootKey,
    settings: Settings,
    hosts: Hosts,
    acceptor: Option<TlsAcceptor>,
    api: std::net::TcpListener,
    commands: std::os::unix::net::UnixListener,
    driver: Result<Arc<dyn Driver>, String>,
    events: UnboundedReceiver<Event>,
    audit_days: u32,
    quotas: Quotas,
    lifecycle_day: Duration,
    web: SystemWeb,
    /// Those that this machine knows.
    authorities: RootCertStore,
    public_url: Option<String>,
    deliveries: Deliveries,
}

fn prepare(arguments: Up, directory: DataDirectory) -> Result<Prepared> {
    let root = directory.root_key()?;
    let settings = directory.settings(arguments.account_id, arguments.region)?;
    let acceptor = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(tls::acceptor(certificate, key)?),
        _ => None,
    };
    let api = http::listen(arguments.listen)?;
    let commands = admin::server::listen(directory.path())?;
    let (tell, events) = tokio::sync::mpsc::unbounded_channel();
    let driver = instances::driver(directory.path(), tell);
    let hosts = Hosts { s3_domains: arguments.s3_domain, s3_website_domains: arguments.s3_website_domain };
    let audit_days = arguments.audit_days;
    let quotas = arguments.quota.into_iter().collect();
    let lifecycle_day = Duration::from_secs(arguments.lifecycle_day.into());
    let authorities = known_authorities();
    let web = SystemWeb::new(directory.path().join("oidc-keys"), authorities.clone());
    let public_url = arguments.public_url;
    let deliveries = Deliveries::open(&arguments.event_destination)?;
    Ok(Prepared {
        directory,
        root,
        settings,
        hosts,
        acceptor,
        api,
        commands,
        driver,
        events,
        audit_days,
        quotas,
        lifecycle_day,
        web,
        authorities,
        public_url,
        deliveries,
    })
}

fn log_to_standard_error(format: LogFormat) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("DAYPASS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    match format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// No core dump, and no other process of this user that reads this one's memory: keys are in it.
fn keep_memory_private() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    // The hard limit stays: instances may dump their own memory within it.
    let off =
        getrlimit(Resource::RLIMIT_CORE).and_then(|(_, hard)| setrlimit(Resource::RLIMIT_CORE, 0, hard));
    if let Err(error) = off {
        tracing::warn!(%error, "core dumps could not be turned off");
    }
    if let Err(error) = nix::sys::prctl::set_dumpable(false) {
        tracing::warn!(%error, "this process can be traced by others of its user");
    }
}

async fn serve(prepared: Prepared) -> Result<()> {
    let Prepared { directory, root, settings, hosts, acceptor, api, commands, .. } = prepared;
    let Prepared {
        driver,
        events,
        audit_days,
        quotas,
        lifecycle_day,
        web,
        authorities,
        public_url,
        deliveries,
        ..
    } = prepared;
    let store = Store::open(directory.path())
        .with_context(|| format!("`{}/state.db`", directory.path().display()))?;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let ring = KeyRing::load(&store, &root, &SystemClock, Arc::clone(&entropy)).await?;
    let local = Arc::new(objects::open(directory.path(), &ring)?);
    let engine = Arc::new(Attached::new(Arc::clone(&local)).await?);
    let address = api.local_addr().context("the listener's address")?;
    let scheme = if acceptor.is_some() { "https" } else { "http" };
    let endpoint = format!("{scheme}://{address}");
    let state = State {
        identities: Identities::of(&store),
        organizations: Organizations::of(&store),
        kept: Kept::of(&store),
        opened: Opened::default(),
        attempts: Attempts::default(),
        decryptions: Attempts::default(),
        moving: outbox::Moving::default(),
        objects: Arc::clone(&engine) as _,
        store,
        ring,
        clock: Arc::new(SystemClock),
        entropy,
        provider_keys: ProviderKeys::of(Arc::new(web)),
        endpoint: public_url.unwrap_or_else(|| endpoint.clone()),
        account: settings.account,
        region: settings.region,
        instances: match &driver {
            Ok(_) => InstanceSupport::available(),
            Err(why) => InstanceSupport::unavailable(why.clone()),
        },
        quotas,
        hosts,
        destinations: deliveries.destinations(),
        lifecycle_day,
    };
    administrator::prepare(&state, &state.account).await?;
    let state = Arc::new(state);
    let attachments = Attachments::open(Arc::clone(&state), engine, authorities)?;
    let gate = Gate::new(state, operations());
    let place = directory.path().to_owned();
    let server = Arc::new(Server::new(gate, endpoint, driver, (local, attachments), place));
    let listener = tokio::net::TcpListener::from_std(api).context("the listener")?;
    let commands = tokio::net::UnixListener::from_std(commands).context("the commands' socket")?;
    let (stop, stopped) = Stop::new();
    let work = background::start(&server, events, deliveries, address.port(), audit_days, &stopped);
    let api = tokio::spawn(http::serve(Arc::clone(&server), listener, acceptor, None, stopped));
    let commands = tokio::spawn(admin::server::serve(Arc::clone(&server), commands));
    announce(&server, &directory);
    wait_for_the_end().await?;
    tracing::info!("stopping");
    commands.abort();
    let _ = std::fs::remove_file(data::socket(directory.path()));
    stop.send_replace(true);
    let _ = api.await;
    work.end().await;
    Ok(())
}

fn announce(server: &Server, directory: &DataDirectory) {
    let state = server.state();
    crate::say(&format!(
        "daypass {} is ready at {} (account {}, region {})",
        env!("CARGO_PKG_VERSION"),
        server.endpoint(),
        state.account,
        state.region
    ));
    crate::say(&format!("to use it:  eval \"$(daypass env --data {})\"", directory.path().display()));
    if let Some(why) = server.instances_unavailable() {
        crate::say(&format!("no instances can run here: {why}"));
    }
}

async fn wait_for_the_end() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
