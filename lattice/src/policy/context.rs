//! The condition keys of a request and their values.

use std::collections::BTreeMap;

use super::caller::Caller;
use super::request::{Action, Request};

/// Values by key. Keys are in lower case, since their case does not matter; values are as they came.
#[derive(Debug, Clone, Default)]
pub(super) struct Context(BTreeMap<String, Vec<String>>);

impl Context {
    /// The keys that a request has.
    ///
    /// Which keys VPC Lattice itself offers: service authorization reference, `vpc-lattice-svcs`. Global keys: IAM user
    /// guide. A header or query key that is there several times has several values (assumed).
    pub(super) fn new(caller: &Caller, request: &Request) -> Self {
        let mut context = Self::default();
        context.caller(caller);
        context.request(request);
        context
    }

    /// The values of a key, whose name is in lower case.
    pub(super) fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(key).map(Vec::as_slice)
    }

    fn add(&mut self, key: &str, value: impl Into<String>) {
        self.0.entry(key.to_lowercase()).or_default().push(value.into());
    }

    fn caller(&mut self, caller: &Caller) {
        match caller {
            Caller::Anonymous => {
                self.add("aws:PrincipalType", "Anonymous");
                self.add("aws:PrincipalAccount", "anonymous");
                self.add("aws:userid", "anonymous");
            }
            Caller::Authenticated(principal) => {
                self.add("aws:PrincipalType", principal.type_name());
                self.add("aws:PrincipalAccount", principal.account());
                self.add("aws:PrincipalArn", principal.condition_arn());
                self.add("aws:PrincipalIsAWSService", "false");
                if let Some(organization) = principal.organization() {
                    self.add("aws:PrincipalOrgID", organization);
                }
                if let Some(name) = principal.user_name() {
                    self.add("aws:username", name);
                }
                for (key, value) in principal.tags() {
                    self.add(&format!("aws:PrincipalTag/{key}"), value);
                }
            }
        }
    }

    fn request(&mut self, request: &Request) {
        self.add("vpc-lattice-svcs:ServiceArn", &request.service_arn);
        self.add("vpc-lattice-svcs:Port", request.port.to_string());
        self.add("aws:CurrentTime", iso(request.epoch_seconds));
        self.add("aws:EpochTime", request.epoch_seconds.to_string());
        for (key, value) in [
            ("vpc-lattice-svcs:ServiceNetworkArn", request.service_network_arn.as_deref()),
            ("vpc-lattice-svcs:SourceVpc", request.source_vpc.as_deref()),
            ("vpc-lattice-svcs:SourceVpcOwnerAccount", request.source_vpc_owner.as_deref()),
            ("aws:ResourceAccount", request.resource_account()),
            ("aws:RequestedRegion", request.region()),
        ] {
            if let Some(value) = value {
                self.add(key, value);
            }
        }
        if let Some(address) = request.source_address {
            self.add("aws:SourceIp", address.to_string());
        }
        if let Some(secure) = request.secure {
            self.add("aws:SecureTransport", secure.to_string());
        }
        for (key, value) in &request.service_tags {
            self.add(&format!("aws:ResourceTag/{key}"), value);
        }
        if let Action::Invoke(http) = &request.action {
            self.add("vpc-lattice-svcs:RequestMethod", &http.method);
            self.add("vpc-lattice-svcs:RequestPath", &http.path);
            for (name, value) in &http.headers {
                self.add(&format!("vpc-lattice-svcs:RequestHeader/{name}"), value);
            }
            for (name, value) in &http.query {
                self.add(&format!("vpc-lattice-svcs:RequestQueryString/{name}"), value);
            }
        }
    }
}

/// A time as ISO 8601 writes it in UTC, with the year bounded to four digits.
fn iso(epoch_seconds: i64) -> String {
    let bounded = epoch_seconds.clamp(-62_167_219_200, 253_402_300_799);
    let (days, of_day) = (bounded.div_euclid(86_400), bounded.rem_euclid(86_400));
    // Years of 400-year cycles, counted from March 1st of the year 0.
    let shifted = days + 719_468;
    let cycle = shifted.div_euclid(146_097);
    let day = shifted.rem_euclid(146_097);
    let year_of_cycle = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let month_day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_cycle + cycle * 400 + i64::from(month < 3);
    let (hours, minutes, seconds) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{month_day:02}T{hours:02}:{minutes:02}:{seconds:02}Z")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::value::date;

    #[test]
    fn times_are_written_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_785_578_400, "2026-08-01T10:00:00Z"),
            (-1, "1969-12-31T23:59:59Z"),
            (i64::MAX, "9999-12-31T23:59:59Z"),
            (i64::MIN, "0000-01-01T00:00:00Z"),
        ] {
            assert_eq!(iso(seconds), text);
        }
    }

    proptest! {
        #[test]
        fn times_are_read_as_they_were_written(seconds in -62_167_219_200_i64..253_402_300_799) {
            prop_assert_eq!(date(&iso(seconds)), Some(seconds * 1000));
        }
    }
}
