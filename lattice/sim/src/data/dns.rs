//! DNS: names of services, as the resolver of a VPC answers them.

use std::net::IpAddr;
use std::time::Duration;

use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::proto::op::{HeaderCounts, Metadata, OpCode, ResponseCode};
use hickory_server::proto::rr::rdata::{A, AAAA};
use hickory_server::proto::rr::{DNSClass, Name, RData, Record, RecordType};
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

use crate::simulator::{Simulator, World};

use super::addresses;
use super::interface::Interface;

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

impl World {
    /// The addresses of a name that a client may know, and for how many seconds; `None` where there is no such name.
    fn resolve(&self, client: IpAddr, name: &str) -> Option<(Vec<IpAddr>, u32)> {
        let seconds = |seconds: u64| u32::try_from(seconds).unwrap_or(u32::MAX);
        if let Some(service) = self.service_named(client, name) {
            let addresses = addresses::of_service(&self.state, &self.settings, service);
            return Some((addresses, seconds(self.settings.dns_ttl.0.as_secs())));
        }
        let vpc = self.surroundings.vpc_of(client).map(|vpc| vpc.id.as_str());
        let known = |wanted: &Option<String>| {
            self.surroundings.vpcs.is_empty() || wanted.as_deref().is_some_and(|wanted| Some(wanted) == vpc)
        };
        for service in self.state.cloudmap.services.rows().filter(|service| !service.records.is_empty()) {
            let Some(namespace) = self.state.cloudmap.namespaces.get(&service.namespace) else { continue };
            if !known(&namespace.vpc)
                || !format!("{}.{}", service.name, namespace.name).eq_ignore_ascii_case(name)
            {
                continue;
            }
            let attributes = service.instances.values().flat_map(|instance| {
                ["AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6"].map(|attribute| instance.get(attribute))
            });
            // Cloud Map answers with eight at most.
            let addresses = attributes.flatten().filter_map(|address| address.parse().ok()).take(8).collect();
            let ttl = service.records.iter().map(|(_, ttl)| *ttl).min().unwrap_or_default();
            return Some((addresses, seconds(ttl)));
        }
        let mut names = self.surroundings.names.iter();
        let (_, addresses) = names.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some((addresses.clone(), seconds(self.settings.dns_ttl.0.as_secs())))
    }
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
    let found = simulator.lock().resolve(info.src.ip().to_canonical(), name);
    let (addresses, ttl) = found.ok_or(ResponseCode::NXDomain)?;
    let data = addresses.into_iter().filter_map(|address| match (address, query.query_type()) {
        (IpAddr::V4(address), RecordType::A | RecordType::ANY) => Some(RData::A(A(address))),
        (IpAddr::V6(address), RecordType::AAAA | RecordType::ANY) => Some(RData::AAAA(AAAA(address))),
        _ => None,
    });
    Ok(data.map(|data| Record::from_rdata(asked.clone(), ttl, data)).collect())
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
