//! DNS: queries, answered as the resolver of a VPC answers them.

use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{HeaderCounts, Metadata, OpCode, ResponseCode};
use hickory_server::proto::rr::{DNSClass, Name, Record, RecordType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

use crate::simulator::Simulator;

use super::interface::Interface;
use super::names::{Records, alias};

/// How long a client of TCP may take between two queries.
const PATIENCE: Duration = Duration::from_secs(5);
/// Answers to a client of TCP that may wait for it.
const WAITING: usize = 16;

/// Begins to answer queries where the settings say; they end when what is returned is dropped.
pub(super) async fn start(simulator: &Simulator, interface: &mut Interface) -> Option<Server<Resolver>> {
    let at = simulator.settings().dns_listen.0?;
    let mut server = Server::new(Resolver { simulator: simulator.clone() });
    let bound = async {
        interface.add(at.ip()).await?;
        let text = |error: std::io::Error| error.to_string();
        Ok::<_, String>((
            UdpSocket::bind(at).await.map_err(text)?,
            TcpListener::bind(at).await.map_err(text)?,
        ))
    };
    match bound.await {
        Ok((datagrams, streams)) => {
            server.register_socket(datagrams);
            server.register_listener(streams, PATIENCE, WAITING);
            Some(server)
        }
        Err(error) => {
            tracing::warn!(address = %at, %error, "no DNS; --set dns.listen=ADDRESS:PORT chooses another place");
            None
        }
    }
}

/// Answers queries from what the control plane holds.
pub(super) struct Resolver {
    simulator: Simulator,
}

/// What a query is answered with.
fn records(simulator: &Simulator, request: &Request) -> Result<Vec<Record>, ResponseCode> {
    let Ok(info) = request.request_info() else { return Err(ResponseCode::FormErr) };
    if info.metadata.op_code != OpCode::Query {
        return Err(ResponseCode::NotImp);
    }
    let query = info.query;
    if query.query_class() != DNSClass::IN {
        return Err(ResponseCode::Refused);
    }
    let asked = Name::from(query.name().clone());
    let text = asked.to_ascii();
    let name = text.strip_suffix('.').unwrap_or(&text);
    let wanted = query.query_type();
    // An alias is the answer to every type.
    let answers = |kind: RecordType| kind == wanted || kind == RecordType::CNAME || wanted == RecordType::ANY;
    let of = |owner: &Name, records: Records| {
        let records = records.into_iter().filter(|(data, _)| answers(data.record_type()));
        let records = records.map(|(data, ttl)| Record::from_rdata(owner.clone(), ttl, data));
        records.collect::<Vec<_>>()
    };
    let world = simulator.lock();
    let client = info.src.ip().to_canonical();
    let records = world.records(client, name).ok_or(ResponseCode::NXDomain)?;
    let other = alias(&records);
    let mut answer = of(&asked, records);
    if let Some((other, name)) =
        other.and_then(|other| Some((Name::from_ascii(format!("{other}.")).ok()?, other)))
        && let Some(records) = world.records(client, &name)
    {
        answer.extend(of(&other, records));
    }
    Ok(answer)
}

#[async_trait::async_trait]
impl RequestHandler for Resolver {
    async fn handle_request<R: ResponseHandler, T: Time>(
        &self,
        request: &Request,
        mut response_handle: R,
    ) -> ResponseInfo {
        let found = records(&self.simulator, request);
        let mut metadata = Metadata::response_from_request(&request.metadata);
        metadata.recursion_available = true;
        let records = found.unwrap_or_else(|code| {
            metadata.response_code = code;
            Vec::new()
        });
        let builder = MessageResponseBuilder::from_message_request(request);
        let response = builder.build(metadata, records.iter(), [], [], []);
        match response_handle.send_response(response).await {
            Ok(sent) => sent,
            Err(error) => {
                tracing::debug!(client = %request.src(), %error, "a query was not answered");
                metadata.response_code = ResponseCode::ServFail;
                ResponseInfo::from(hickory_server::proto::op::Header {
                    metadata,
                    counts: HeaderCounts::default(),
                })
            }
        }
    }
}
