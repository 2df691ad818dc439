//! What all resources of an account have in common, and how a call finds them.

use crate::error::{Refusal, ResourceType};
use crate::model::ErrorKind;
use crate::operations::Call;

use super::life::Life;
use super::table::Table;
use super::{State, Tags, arn};

/// A resource of an account, with an id and an ARN.
pub(crate) trait Resource: Sized {
    /// What errors call it.
    const KIND: ResourceType;
    /// Its kind in prose, `service network` say.
    const NOUN: &'static str;
    /// The prefix of its id.
    const PREFIX: &'static str;
    /// What stands before the id in its ARN.
    const PATH: &'static str;

    fn table(state: &State) -> &Table<Self>;
    fn table_mut(state: &mut State) -> &mut Table<Self>;
    fn id(&self) -> &str;
    fn arn(&self) -> &str;
    fn account(&self) -> &str;
    fn name(&self) -> &str;
    fn life(&self) -> &Life;
    fn life_mut(&mut self) -> &mut Life;
    fn tags_mut(&mut self) -> &mut Tags;
}

/// Implements [`Resource`] for a structure with the fields `id`, `arn`, `account`, `life` and `tags`.
macro_rules! resource {
    ($name:ident in $table:ident, $kind:ident, $noun:literal, $prefix:literal, $path:literal, named by $($label:tt)+) => {
        impl crate::state::resource::Resource for $name {
            const KIND: crate::error::ResourceType = crate::error::ResourceType::$kind;
            const NOUN: &'static str = $noun;
            const PREFIX: &'static str = $prefix;
            const PATH: &'static str = $path;

            fn table(state: &crate::state::State) -> &crate::state::table::Table<Self> {
                &state.$table
            }
            fn table_mut(state: &mut crate::state::State) -> &mut crate::state::table::Table<Self> {
                &mut state.$table
            }
            fn id(&self) -> &str {
                &self.id
            }
            fn arn(&self) -> &str {
                &self.arn
            }
            fn account(&self) -> &str {
                &self.account
            }
            fn name(&self) -> &str {
                &self.$($label)+
            }
            fn life(&self) -> &crate::state::life::Life {
                &self.life
            }
            fn life_mut(&mut self) -> &mut crate::state::life::Life {
                &mut self.life
            }
            fn tags_mut(&mut self) -> &mut crate::state::Tags {
                &mut self.tags
            }
        }
    };
}
pub(crate) use resource;

impl State {
    /// A new id and ARN for the caller's account.
    pub(crate) fn name<T: Resource>(&mut self, call: &Call<'_>) -> (String, String) {
        self.new_name::<T>(call.region, call.account)
    }

    /// A new id and ARN for an account.
    pub(crate) fn new_name<T: Resource>(&mut self, region: &str, account: &str) -> (String, String) {
        let id = self.new_id(T::PREFIX);
        let arn = arn::arn(region, account, &format!("{}/{id}", T::PATH));
        (id, arn)
    }

    /// The resource that this id or ARN means, of whatever account.
    fn meant<T: Resource>(&self, identifier: &str) -> Option<&T> {
        let row = T::table(self).get(arn::last_part(identifier))?;
        (!identifier.starts_with("arn:") || row.arn() == identifier).then_some(row)
    }

    /// Whether the account may see a resource: its own, and what is shared with it.
    pub(crate) fn sees<T: Resource>(&self, account: &str, row: &T) -> bool {
        row.account() == account || self.shares.holds(row.arn(), account)
    }

    /// The resource that a member of the call names, if the account may see it.
    pub(crate) fn visible<T: Resource>(&self, call: &Call<'_>, member: &str) -> Result<&T, Refusal> {
        let identifier = call.text(member);
        let row = self.meant::<T>(identifier).filter(|row| self.sees(call.account, *row));
        row.ok_or_else(|| call.not_found(T::KIND, identifier))
    }

    /// The resource that a member of the call names, to be changed by its owner alone.
    pub(crate) fn own<T: Resource>(&self, call: &Call<'_>, member: &str) -> Result<&T, Refusal> {
        let row: &T = self.visible(call, member)?;
        if row.account() == call.account {
            Ok(row)
        } else if call.operation.models(ErrorKind::AccessDenied) {
            Err(call.denied(row.arn()))
        } else {
            Err(call.not_found(T::KIND, row.id()))
        }
    }

    /// As [`State::own`], to change it.
    pub(crate) fn own_mut<T: Resource>(&mut self, call: &Call<'_>, member: &str) -> Result<&mut T, Refusal> {
        let id = self.own::<T>(call, member)?.id().to_owned();
        T::table_mut(self).get_mut(&id).ok_or_else(|| call.not_found(T::KIND, &id))
    }
}
