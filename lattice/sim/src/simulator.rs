//! The simulator: one call after the other, from the HTTP request to the answer.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::access_log::AccessLog;
use crate::account::{Account, Caller, access_key_id, accounts, caller};
use crate::admin;
use crate::clock::{Clock, SimTime};
use crate::data::Turns;
use crate::error::Refusal;
use crate::faults::{Faults, Injected, Outcome, Plan};
use crate::model::route::route;
use crate::model::{ErrorKind, Operation};
use crate::neighbours::{self, Ask, Asked};
use crate::operations::input::collect;
use crate::operations::{Call, serve};
use crate::random::{Random, uuid};
use crate::rate::Limits;
use crate::record::{Kept, Record};
use crate::settings::Settings;
use crate::settings::value::{ClockStart, RetryAfter};
use crate::signature::{self, Expected, Payload, Refused};
use crate::state::arn::last_part;
use crate::state::{State, Tags};
use crate::surroundings::{self, Run, Surroundings};

/// Most bytes of a request's body: 1 MiB. The largest valid request, RegisterTargets of 100, has 25 KB.
pub const MOST_BODY_BYTES: usize = 1 << 20;

/// The region that resources are in unless set.
pub const REGION: &str = "us-west-2";

/// The names that signatures carry, of calls and of requests to services. Source: service authorization reference.
const SIGNING_NAME: &str = "vpc-lattice";
const DATA_SIGNING_NAME: &str = "vpc-lattice-svcs";

/// What stands for the operation in counts and log when a request is for none.
const UNKNOWN: &str = "UnknownOperation";

/// VPC Lattice in memory. Clones are handles to the same simulator.
///
/// [`Simulator::handle`] answers requests in process, [`Simulator::serve`] on a socket; both may be used at once.
/// Time is tokio's, so a paused runtime pauses the simulator, and [`Simulator::advance`] moves it on.
#[derive(Debug, Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    world: Mutex<World>,
    /// Held while the state is written to a file, so that no two write at once.
    saving: Mutex<()>,
    /// Follows [`World::changes`].
    changed: watch::Sender<u64>,
}

/// Everything that changes. It is locked for the length of a call and never across an await.
#[derive(Debug)]
pub(crate) struct World {
    /// Goes up with everything that changes the state.
    pub(crate) changes: u64,
    /// How often everything began anew. Ids of one beginning mean nothing in the next.
    pub(crate) resets: u64,
    pub(crate) seed: u64,
    pub(crate) surroundings: Arc<Surroundings>,
    /// What may run for functions: what the surroundings given by whoever runs the simulator name.
    programs: Vec<Run>,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) state: State,
    pub(crate) faults: Faults,
    pub(crate) record: Record,
    pub(crate) access_log: AccessLog,
    /// Whose turn it is in the data plane.
    pub(crate) turns: RefCell<Turns>,
    /// The certificate of the data plane's authority, in PEM.
    pub(crate) authority: Option<String>,
    /// Its key, which outlives the simulator in a state file.
    pub(crate) authority_key: Option<String>,
    /// What it began with, to which it can be brought back.
    start: Start,
    limits: Limits,
    pub(crate) request_ids: Random,
    /// Of requests of the data plane, on which those of the API must not depend.
    pub(crate) traffic_ids: Random,
}

/// What a simulator began with.
#[derive(Debug, Clone)]
struct Start {
    settings: Settings,
    surroundings: Arc<Surroundings>,
}

/// How a call ends.
struct Answer {
    response: Response<Bytes>,
    latency: Duration,
    never: bool,
}

impl Simulator {
    /// A simulator with nothing in it. The same seed and the same calls give the same ids and keys.
    ///
    /// It has to be made within a tokio runtime, whose clock it follows.
    #[must_use]
    pub fn new(settings: Settings, seed: u64) -> Self {
        let start = match settings.clock_start {
            ClockStart::Now => None,
            ClockStart::At(time) => Some(time),
        };
        let world = World {
            changes: 0,
            resets: 0,
            seed,
            surroundings: Arc::default(),
            programs: Vec::new(),
            clock: Clock::new(start, settings.clock_frozen.0),
            state: State::new(seed),
            faults: Faults::new(seed),
            record: Record::default(),
            access_log: AccessLog::default(),
            turns: RefCell::default(),
            authority: None,
            authority_key: None,
            start: Start { settings: settings.clone(), surroundings: Arc::default() },
            settings,
            limits: Limits::default(),
            request_ids: Random::new(seed, "request ids"),
            traffic_ids: Random::new(seed, "traffic ids"),
        };
        let inner =
            Inner { world: Mutex::new(world), saving: Mutex::default(), changed: watch::Sender::new(0) };
        Self { inner: Arc::new(inner) }
    }

    /// Answers a request to the API or to the admin endpoints under `/_sim/`.
    ///
    /// A call takes effect, and stands in the log, when it comes in; a latency of a fault rule passes between that
    /// and the answer. A call that a fault rule lets time out is never answered: the future stays pending.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let path = request.uri().path();
        if path == "/_sim" || path.starts_with("/_sim/") {
            let answer = admin::answer(self, &request);
            self.tell();
            return answer;
        }
        let answer = self.call(&request);
        self.tell();
        if answer.never {
            return std::future::pending().await;
        }
        if !answer.latency.is_zero() {
            tokio::time::sleep(answer.latency).await;
        }
        answer.response
    }

    /// The accounts that exist, with their keys.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        self.lock().accounts()
    }

    /// What surrounds VPC Lattice.
    #[must_use]
    pub fn surroundings(&self) -> Arc<Surroundings> {
        Arc::clone(&self.lock().surroundings)
    }

    /// Replaces what surrounds VPC Lattice, or keeps it if something is wrong with the new. From now on the programs of
    /// its functions may run.
    ///
    /// What was made under the old surroundings stays as it is.
    pub fn set_surroundings(&self, surroundings: Surroundings) -> Result<(), surroundings::Error> {
        surroundings.check()?;
        let mut world = self.lock();
        world.allow_programs(&surroundings);
        world.surround(surroundings);
        world.start.surroundings = Arc::clone(&world.surroundings);
        Ok(())
    }

    /// As [`Simulator::set_surroundings`], for those who may not run programs on this machine: new ones are refused.
    pub(crate) fn put_surroundings(&self, surroundings: Surroundings) -> Result<(), surroundings::Error> {
        surroundings.check()?;
        let mut world = self.lock();
        surroundings.check_programs(&world.programs)?;
        world.surround(surroundings);
        Ok(())
    }

    /// The state, brought up to now.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        // What a panicking test left behind is still the best state there is.
        let mut world = self.inner.world.lock().unwrap_or_else(PoisonError::into_inner);
        let now = world.clock.now();
        if world.state.settle(now) {
            world.changes += 1;
        }
        world
    }

    /// Whoever holds this is the only one to write the state to a file.
    pub(crate) fn saving(&self) -> MutexGuard<'_, ()> {
        self.inner.saving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, request: &Request<Bytes>) -> Answer {
        self.lock().call(request)
    }

    /// Tells those who wait for changes.
    fn tell(&self) {
        let changes = self.lock().changes;
        self.inner.changed.send_if_modified(|known| std::mem::replace(known, changes) != changes);
    }

    /// What becomes ready with each change that a call made.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// The certificate of the data plane's authority, in PEM.
    #[must_use]
    pub fn authority(&self) -> Option<String> {
        self.lock().authority.clone()
    }

    /// Brings everything back to how it was at the start: nothing there, the settings, surroundings and ids of then, no
    /// faults, no calls. Clock and access logs go on.
    pub fn reset(&self) {
        let mut world = self.lock();
        let Start { settings, surroundings } = world.start.clone();
        let (now, seed) = (world.clock.now(), world.seed);
        world.clock.freeze(settings.clock_frozen.0);
        world.settings = settings;
        world.surroundings = surroundings;
        world.state = State::new(seed);
        if world.authority.is_some() {
            world.state.start_checking(now);
        }
        world.faults = Faults::new(seed);
        world.record = Record::default();
        world.turns = RefCell::default();
        world.limits = Limits::default();
        world.request_ids = Random::new(seed, "request ids");
        world.resets += 1;
        world.changes += 1;
    }
}

impl World {
    /// Begins in these surroundings.
    pub(crate) fn begin_in(&mut self, surroundings: Surroundings) {
        self.surroundings = Arc::new(surroundings);
        self.start.surroundings = Arc::clone(&self.surroundings);
    }

    fn surround(&mut self, surroundings: Surroundings) {
        let now = self.clock.now();
        self.state.lead_endpoints(&surroundings, &self.settings.region.0, now);
        self.changes += 1;
        self.surroundings = Arc::new(surroundings);
    }

    /// Allows the programs of these surroundings to run.
    pub(crate) fn allow_programs(&mut self, surroundings: &Surroundings) {
        let programs = surroundings.functions.iter().map(|function| &function.run);
        let new: Vec<Run> = programs.filter(|run| !self.programs.contains(run)).cloned().collect();
        self.programs.extend(new);
    }

    pub(crate) fn accounts(&self) -> Vec<Account> {
        if self.surroundings.accounts.is_empty() {
            accounts(self.seed, self.settings.accounts.0)
        } else {
            self.surroundings.accounts.clone()
        }
    }

    /// Who signed a request. Without verified signatures, a key that is nobody's is as good as the first account's.
    fn caller(&self, headers: &HeaderMap) -> Caller {
        let accounts = self.accounts();
        let known = access_key_id(headers)
            .and_then(|key| caller(key, &accounts, &self.surroundings, &self.state.sessions));
        known.or_else(|| accounts.first().map(Account::root)).unwrap_or_else(|| Caller {
            account: String::new(),
            arn: String::new(),
            secret: String::new(),
            token: None,
            expires: None,
            policies: None,
            tags: Tags::new(),
        })
    }

    /// Whether a call is signed as it has to be, where signatures are verified.
    fn verified(&self, request: &Request<Bytes>, service: &str) -> Result<(), Refused> {
        if !self.settings.verify_signatures.0 {
            return Ok(());
        }
        let mut headers = request.headers().clone();
        if let Some(host) = request.uri().authority().filter(|_| !headers.contains_key(header::HOST))
            && let Ok(host) = HeaderValue::from_str(host.as_str())
        {
            // HTTP/2 says the host elsewhere, and clients sign it as a header.
            headers.insert(header::HOST, host);
        }
        let query = request.uri().query().unwrap_or_default();
        let (path, body) = (request.uri().path(), request.body());
        let signed = signature::Request { method: request.method(), path, query, headers: &headers, body };
        self.signed_by(&signed, service, Payload::Signed).map(|_| ())
    }

    /// Who signed a request.
    fn signed_by(
        &self,
        request: &signature::Request<'_>,
        service: &str,
        payload: Payload,
    ) -> Result<Option<Caller>, Refused> {
        let now = self.clock.now();
        // Most requests of the data plane are not signed, and need no accounts.
        let known = |key: &str| caller(key, &self.accounts(), &self.surroundings, &self.state.sessions);
        let expected = Expected { service, region: &self.settings.region.0, payload, now: Timestamp::now() };
        let key = signature::verify(request, &expected, |key| known(key).map(|caller| caller.key(now)))?;
        Ok(known(&key))
    }

    /// Who signed a request of the data plane, whose host is among its headers: nobody, or somebody whose signature
    /// holds.
    pub(crate) fn signer(&self, head: &http::request::Parts) -> Result<Option<Caller>, Refused> {
        let query = head.uri.query().unwrap_or_default();
        let (path, headers) = (head.uri.path(), &head.headers);
        let signed = signature::Request { method: &head.method, path, query, headers, body: &[] };
        match self.signed_by(&signed, DATA_SIGNING_NAME, Payload::Unsigned) {
            Err(Refused::NoSignature) => Ok(None),
            other => other,
        }
    }

    fn call(&mut self, request: &Request<Bytes>) -> Answer {
        let now = self.clock.now();
        let path = request.uri().path();
        let caller = self.caller(request.headers());
        if request.body().len() > MOST_BODY_BYTES {
            let name = route(request.method().as_str(), path).map_or(UNKNOWN, |route| route.operation.name);
            let call = Handling { now, account: &caller.account, input: Map::new() };
            return self.finish(call, name, Err(Failure::TooLong), Duration::ZERO);
        }
        if let Some(asked) = neighbours::read(request) {
            let verified = asked.signing_name.map_or(Ok(()), |service| self.verified(request, service));
            return self.ask(asked, verified, &caller, now);
        }
        let mut call = Handling { now, account: &caller.account, input: Map::new() };
        if let Err(refused) = self.verified(request, SIGNING_NAME) {
            let name = route(request.method().as_str(), path).map_or(UNKNOWN, |route| route.operation.name);
            let failure = Failure::Common {
                name: refused.code(),
                status: refused.status(),
                message: refused.to_string(),
            };
            return self.finish(call, name, Err(failure), Duration::ZERO);
        }
        let Some(route) = route(request.method().as_str(), path) else {
            let message = format!("There is no operation {} {path}.", request.method());
            let refusal = Refusal::invalid("unknownOperation", message);
            return self.finish(call, UNKNOWN, Err(Failure::Refused(refusal)), Duration::ZERO);
        };
        let operation = route.operation;
        let query = request.uri().query().unwrap_or_default();
        let (input, checked) = collect(&route, query, request.body());
        call.input = input;
        let plan = self.faults.plan(operation, &call.input);
        let result = match &plan.outcome {
            None | Some(Outcome::Unsuccessful(_) | Outcome::Fails(_)) => {
                self.serve(&call, operation, checked, &plan)
            }
            Some(Outcome::Error { error, applied }) => {
                if *applied {
                    // The client hears of the fault alone, whatever comes of the call.
                    drop(self.serve(&call, operation, checked, &plan));
                }
                Err(match error {
                    Injected::Modelled(kind) => {
                        let resource = route.variables.last().map_or("", |(_, value)| value.as_str());
                        Failure::Refused(Refusal::injected(&self.settings, *kind, resource))
                    }
                    Injected::Common { name, status } => Failure::Common {
                        name,
                        status: *status,
                        message: "injected by a fault rule".to_owned(),
                    },
                })
            }
            Some(Outcome::Timeout { applied }) => {
                if *applied {
                    drop(self.serve(&call, operation, checked, &plan));
                }
                Err(Failure::Never)
            }
        };
        let result = result.map(|body| (StatusCode::from_u16(operation.status).unwrap_or_default(), body));
        self.finish(call, operation.name, result, plan.latency)
    }

    /// Answers a call of a neighbour.
    fn ask(&mut self, asked: Asked, verified: Result<(), Refused>, caller: &Caller, now: SimTime) -> Answer {
        let plan = self.faults.plan_neighbour(asked.operation);
        let applied = match &plan.outcome {
            Some(Outcome::Error { applied, .. } | Outcome::Timeout { applied }) => *applied,
            _ => true,
        };
        let outcome = applied.then(|| {
            verified.map_err(|refused| asked.protocol.refusal(&refused))?;
            let ask = Ask {
                caller,
                input: &asked.input,
                now,
                clock: &self.clock,
                settings: &self.settings,
                surroundings: &self.surroundings,
                region: &self.settings.region.0,
            };
            asked.serve(&mut self.state, &ask)
        });
        self.changes += 1;
        let never = matches!(plan.outcome, Some(Outcome::Timeout { .. }));
        let outcome = match (&plan.outcome, outcome) {
            (Some(Outcome::Error { error, .. }), _) => Err(error.of_neighbour()),
            (_, Some(outcome)) => outcome,
            (_, None) => Ok(Value::Null),
        };
        let request_id = uuid(&mut self.request_ids);
        let reply = asked.protocol.reply(&outcome, &request_id);
        self.record.add(Kept {
            time: self.clock.epoch_seconds(now),
            machine_time: self.clock.machine_seconds(now),
            operation: asked.operation,
            account: caller.account.clone(),
            status: (!never).then_some(reply.status.as_u16()),
            request: Value::Object(asked.input).to_string(),
            response: reply.body.clone(),
        });
        let mut response = Response::new(reply.body);
        *response.status_mut() = reply.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            headers.insert("x-amzn-requestid", id);
        }
        if let Some(name) = reply.error {
            headers.insert("x-amzn-errortype", HeaderValue::from_static(name));
        }
        Answer { response, latency: plan.latency, never }
    }

    fn serve(
        &mut self,
        handling: &Handling<'_>,
        operation: &'static Operation,
        checked: Result<(), Refusal>,
        plan: &Plan,
    ) -> Result<Value, Failure> {
        let (account, now) = (handling.account, handling.now);
        let Some(serve) = serve(operation.name) else {
            let message = format!("{} is not served by this simulator.", operation.name);
            return Err(Failure::Refused(Refusal::invalid("unknownOperation", message)));
        };
        if operation.models(ErrorKind::Throttling)
            && !self.limits.admit(account, operation.name, now, &self.settings)
        {
            let message = format!("Rate exceeded for {}.", operation.name);
            return Err(Failure::Refused(Refusal::throttled(&self.settings, message)));
        }
        checked.map_err(Failure::Refused)?;
        let call = Call {
            operation,
            input: &handling.input,
            account,
            now,
            clock: &self.clock,
            settings: &self.settings,
            region: &self.settings.region.0,
            seed: self.seed,
            surroundings: &self.surroundings,
            fails: match &plan.outcome {
                Some(Outcome::Fails(failure)) => Some(failure),
                _ => None,
            },
            unsuccessful: match &plan.outcome {
                Some(Outcome::Unsuccessful(unsuccessful)) => Some(unsuccessful),
                _ => None,
            },
        };
        let served = serve(&mut self.state, &call);
        if let Ok(answer) = &served
            && !operation.read_only
        {
            self.changes += 1;
            let named = ["serviceIdentifier", "serviceNetworkIdentifier", "resourceIdentifier"];
            let named = named.iter().filter_map(|member| handling.input.get(*member));
            for id in named.chain(answer.get("id")).filter_map(Value::as_str) {
                self.state.publish(last_part(id), now, &self.settings);
            }
        }
        served.map_err(Failure::Refused)
    }

    /// Makes the answer and notes the call.
    fn finish(
        &mut self,
        handling: Handling<'_>,
        operation: &'static str,
        result: Result<(StatusCode, Value), Failure>,
        latency: Duration,
    ) -> Answer {
        let mut error = None;
        let mut never = false;
        let (status, body) = match result {
            Ok((status, body)) => (status, body),
            Err(Failure::Refused(refusal)) => {
                let shape = refusal.kind.shape();
                error = Some(shape.name);
                (StatusCode::from_u16(shape.status).unwrap_or_default(), refusal.body())
            }
            Err(Failure::TooLong) => {
                error = Some(ErrorKind::Validation.shape().name);
                let message = format!("The request's body is longer than {MOST_BODY_BYTES} bytes.");
                (StatusCode::PAYLOAD_TOO_LARGE, Refusal::invalid("other", message).body())
            }
            Err(Failure::Common { name, status, message }) => {
                error = Some(name);
                let body = json!({"message": message});
                (StatusCode::from_u16(status).unwrap_or_default(), body)
            }
            Err(Failure::Never) => {
                never = true;
                (StatusCode::default(), Value::Null)
            }
        };
        let bytes = if status == StatusCode::NO_CONTENT || never {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        self.record.add(Kept {
            time: self.clock.epoch_seconds(handling.now),
            machine_time: self.clock.machine_seconds(handling.now),
            operation,
            account: handling.account.to_owned(),
            status: (!never).then_some(status.as_u16()),
            request: Value::Object(handling.input).to_string(),
            response: bytes.clone(),
        });
        let mut response = Response::new(bytes);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Ok(id) = HeaderValue::from_str(&uuid(&mut self.request_ids)) {
            headers.insert("x-amzn-requestid", id);
        }
        if let Some(name) = error {
            headers.insert("x-amzn-errortype", HeaderValue::from_static(name));
            if let (429 | 500, RetryAfter::Seconds(seconds)) = (status.as_u16(), self.settings.retry_after) {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
        }
        Answer { response, latency, never }
    }
}

/// A call on its way.
struct Handling<'a> {
    now: SimTime,
    account: &'a str,
    input: Map<String, Value>,
}

/// Why a call has no result.
enum Failure {
    Refused(Refusal),
    Common { name: &'static str, status: u16, message: String },
    Never,
    TooLong,
}
