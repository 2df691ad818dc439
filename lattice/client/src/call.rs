//! One call: its turn, its clock, its result.

use std::time::Duration;

use aws_sdk_vpclattice::{config::http::HttpResponse, error::ProvideErrorMetadata, error::SdkError};
use tokio::time::Instant;

use crate::{Client, Error, Operation, Urgency, error};

impl Client {
    /// Waits for the call's turn, makes it once, counts and times it, and tells the pacer how it went.
    pub(crate) async fn call<T, E>(
        &self,
        operation: Operation,
        urgency: Urgency,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Error>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let asked = Instant::now();
        let turn = self.metrics.pacer.turn(urgency).await;
        self.make(operation, asked, turn, call).await
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
            turn = self.metrics.pacer.turn(urgency) => Some(turn),
        };
        if let Some(turn) = turn {
            return self.make(operation, asked, turn, call).await;
        }
        let error = Error::NotSent { call: operation };
        self.metrics.record(operation, error.label(), asked.elapsed(), Duration::ZERO);
        Err(error)
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
            Err(Error::Throttled { retry_after, .. }) => self.metrics.pacer.throttled(started, *retry_after),
            _ => self.metrics.pacer.served(),
        }
        let label = result.as_ref().map_or_else(Error::label, |_| "ok");
        self.metrics.record(operation, label, started - asked, started.elapsed());
        result
    }
}
