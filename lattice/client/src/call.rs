//! One call: its turn, its clock, its result.

use std::time::Duration;

use aws_sdk_vpclattice::{config::http::HttpResponse, error::ProvideErrorMetadata, error::SdkError};
use tokio::time::Instant;

use crate::{Client, Error, Operation, Urgency, error};

/// Most pages that one listing may have, of 100 items each: 25 items for each of the 2,000 services of an account's
/// default quota. A server that never ends a listing is not followed for ever.
const MOST_PAGES: usize = 500;

impl Client {
    /// Waits for the call's turn, makes it once, counts and times it, and tells the pacer how it went.
    pub(crate) fn call<T, E>(
        &self,
        operation: Operation,
        urgency: Urgency,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> impl Future<Output = Result<T, Error>>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        // The SDK's futures take kilobytes, which every future round them would hold as well, and more than once.
        let call = Box::pin(call);
        async move {
            let asked = Instant::now();
            let turn = self.metrics.pacer(operation).turn(urgency).await;
            self.make(operation, asked, turn, call).await
        }
    }

    /// As [`Client::call`], but does not send the call if its turn does not come by `send_by` and before `withdrawn`.
    pub(crate) async fn call_by<T, E>(
        &self,
        operation: Operation,
        urgency: Urgency,
        send_by: Instant,
        withdrawn: impl Future<Output = ()>,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let asked = Instant::now();
        let turn = tokio::select! {
            biased;
            () = withdrawn => None,
            () = tokio::time::sleep_until(send_by) => None,
            turn = self.metrics.pacer(operation).turn(urgency) => Some(turn),
        };
        if let Some(turn) = turn {
            return self.make(operation, asked, turn, call).await;
        }
        let error = Error::NotSent { call: operation };
        self.metrics.record(operation, error.label(), asked.elapsed(), Duration::ZERO);
        Err(error)
    }

    /// Reads a listing page by page. `ask` calls for the page that a token stands for, `read` takes a page apart into
    /// its items and the token of the next page, if there is one.
    pub(crate) async fn follow<T, P, E, F>(
        &self,
        operation: Operation,
        urgency: Urgency,
        ask: impl Fn(Option<String>) -> F,
        read: impl Fn(P) -> Result<(Vec<T>, Option<String>), Error>,
    ) -> Result<Vec<T>, Error>
    where
        F: Future<Output = Result<P, SdkError<E, HttpResponse>>>,
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let mut all = Vec::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let (items, next) = read(self.call(operation, urgency, ask(token)).await?)?;
            all.extend(items);
            // Some services end a listing with an empty token.
            token = next.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(all);
            }
        }
        Err(Error::Refused {
            call: operation,
            message: format!("the listing did not end after {MOST_PAGES} pages"),
        })
    }

    async fn make<T, E>(
        &self,
        operation: Operation,
        asked: Instant,
        started: Instant,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let result = call.await.map_err(|error| error::classify(operation, error));
        match &result {
            Err(Error::Throttled { retry_after, .. }) => {
                self.metrics.pacer(operation).throttled(started, *retry_after);
            }
            _ => self.metrics.pacer(operation).served(),
        }
        let label = result.as_ref().map_or_else(Error::label, |_| "ok");
        self.metrics.record(operation, label, started - asked, started.elapsed());
        result
    }
}
