//! Partners of temporary delegation, as the owner's commands ask for them.

use daypass_core::delegation::partner::{self, NewBoundary, NewTemplate, PartnerError, ShownPartner};

use super::protocol::{BoundaryRequest, PartnerRequest, Reply};
use super::server::{failed, name_of};
use crate::server::Server;

pub(super) async fn answer(server: &Server, uid: u32, asked: PartnerRequest) -> Reply {
    match perform(server, uid, asked).await {
        Ok(partners) => Reply::Partners { partners },
        Err(error) => failed(&error.to_string()),
    }
}

async fn perform(
    server: &Server,
    uid: u32,
    asked: PartnerRequest,
) -> Result<Vec<ShownPartner>, PartnerError> {
    let (state, by) = (server.state(), name_of(uid));
    match asked {
        PartnerRequest::List => partner::list(state),
        PartnerRequest::Add { account, name, domain } => {
            let added = partner::add(state, &by, &account, &name, &domain).await?;
            tracing::info!(uid, %account, name, "a partner was taken on");
            Ok(vec![added])
        }
        PartnerRequest::Remove { account } => {
            partner::remove(state, &by, &account).await?;
            tracing::info!(uid, %account, "a partner was removed");
            Ok(vec![])
        }
        PartnerRequest::AddTemplate { account, name, document, boundaries } => {
            let boundaries = boundaries.into_iter().map(|boundary| match boundary {
                BoundaryRequest::Known { arn } => NewBoundary::Known(arn),
                BoundaryRequest::New { name, document } => NewBoundary::New(name, document),
            });
            let boundaries = boundaries.collect();
            let new = NewTemplate { account: account.clone(), name: name.clone(), document, boundaries };
            let partner = partner::add_template(state, &by, new).await?;
            tracing::info!(uid, %account, name, "a partner was given a template");
            Ok(vec![partner])
        }
        PartnerRequest::RemoveTemplate { account, name } => {
            partner::remove_template(state, &by, &account, &name).await?;
            tracing::info!(uid, %account, name, "a template was taken from a partner");
            Ok(vec![])
        }
    }
}
