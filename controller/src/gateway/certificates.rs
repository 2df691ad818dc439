//! Reads ACM's certificates while some listener wants one to be found.

use std::{sync::Arc, time::Duration};

use lattice_client::{Client, Error, Urgency};
use tokio::sync::watch;

use super::{
    compose::Published,
    translate::{Certificate, Certificates},
};

/// How often they are read. A certificate is issued minutes after it was asked for.
const PERIOD: Duration = Duration::from_secs(60);

/// How often they are tried to be read when the role may not.
const DENIED_PERIOD: Duration = Duration::from_secs(300);

/// Keeps `certificates` up to date while they are wanted, for ever.
pub async fn run(
    client: Client,
    mut published: watch::Receiver<Arc<Published>>,
    certificates: watch::Sender<Certificates>,
) {
    loop {
        if published.wait_for(|published| published.outcome.wants_certificates).await.is_err() {
            return;
        }
        let (found, period) = match client.certificates(Urgency::Change).await {
            Ok(mut found) => {
                found.sort_by_key(|one| std::cmp::Reverse(one.created));
                let found =
                    found.into_iter().map(|one| Certificate { arn: one.arn, domains: one.domains }).collect();
                (Certificates::Read(found), PERIOD)
            }
            Err(error) => {
                let period = if matches!(error, Error::Denied { .. }) { DENIED_PERIOD } else { PERIOD };
                (Certificates::Unreadable(error.chain()), period)
            }
        };
        certificates.send_if_modified(|known| {
            // What was found once is better than nothing.
            let news = *known != found
                && !matches!((&*known, &found), (Certificates::Read(_), Certificates::Unreadable(_)));
            if news {
                *known = found;
            }
            news
        });
        tokio::time::sleep(period).await;
    }
}
