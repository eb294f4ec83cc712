//! Acts: what each needs, as an expression over privileges. The table of methods and the
//! owners use the same constants, so that gate and owner never disagree.

use super::ext::ExtId;
use super::permit::Act;
use super::privilege::Needs::{AllOf, AnyOf, Everywhere, Held, Myself, One};
use super::privilege::Privilege as P;
use super::privilege::{ConfigObject, Level, Needs};

macro_rules! acts {
    ($( $(#[$doc:meta])* $act:ident = $needs:expr; )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug)]
            pub struct $act;

            impl Act for $act {
                const NEEDS: Needs = $needs;
            }
        )*

        /// Every act by name, with what it needs.
        pub const EVERY: &[(&str, Needs)] = &[ $( (stringify!($act), $needs), )* ];
    };
}

acts! {
    /// To open a session and what belongs to it: `me`, `views`, `auth.refresh`.
    SessionOpen = Held(P::SessionOpen);
    /// `user.sign_out`, over the user.
    UserSignOut = One(P::UserSignOut);
    /// `user.set_password`, over the user.
    UserSetPassword = AnyOf(&[
        AllOf(&[Myself, Held(P::SessionOpen)]),
        One(P::Config(ConfigObject::Users, Level::Edit)),
    ]);
    /// `notice.send`, over the agent, team or queue.
    NoticeSend = One(P::NoticeSend);
    /// `authorize`, about the caller.
    Authorize = Held(P::SessionOpen);
    /// `authorize`, about another user.
    AuthorizeOthers = One(P::AuthorizeOthers);

    /// `agent.sign_in`: some channel must be handled.
    AgentSignIn = Held(P::ContactHandle);
    /// `agent.sign_out`, over the agent.
    AgentSignOut = One(P::AgentStateSet);
    /// `agent.set_state`, over the agent, now or next; one's own needs no second privilege.
    AgentSetState = AllOf(&[
        One(P::AgentStateSet),
        AnyOf(&[Myself, Held(P::AgentQueueSelection)]),
    ]);
    /// `agent.set_channels`, over the agent.
    AgentSetChannels = One(P::AgentChannelsSet);
    /// `agent.set_queues`, `agent.reset_queues`, over each agent, oneself included.
    AgentSetQueues = AllOf(&[One(P::AgentQueuesSet), Held(P::AgentQueueSelection)]);
    /// `agent.set_skills`, over the agent.
    AgentSetSkills = One(P::AgentSkillsSet);
    /// `agent.set_contact_method`, over the agent.
    AgentSetContactMethod = One(P::AgentContactMethodsSet);
    /// `agent.end_wrap_up`, over the agent.
    AgentEndWrapUp = One(P::AgentEndWrapUp);
    /// Topic `agents` and `agent.list`, over each agent.
    AgentWatch = AnyOf(&[One(P::AgentStatusView), One(P::DashboardAgentsIdentified)]);
    /// `target.list`.
    TargetList = Held(P::TargetsView);

    /// `contact.accept`, over the contact that was offered.
    ContactAccept = AllOf(&[One(P::ContactAccept), Held(P::ContactHandle)]);
    /// `contact.decline`, over the contact that was offered.
    ContactDecline = One(P::ContactDecline);
    /// `offer.shown`, over the contact that was offered.
    OfferShown = One(P::ContactAccept);
    /// `contact.hold`, `contact.resume`.
    ContactHold = One(P::ContactHold);
    /// `contact.park`, `contact.wake`.
    ContactPark = One(P::ContactPark);
    /// `contact.update`: attributes, never priority or tier.
    ContactUpdate = One(P::ContactUpdate);
    /// `contact.message`; the lens says to which audience.
    ContactMessage = One(P::ContactMessage);
    /// `contact.leave`.
    ContactLeave = One(P::ContactLeave);
    /// `contact.note`.
    ContactNote = One(P::ContactNote);
    /// `contact.wrap_up`, `contact.extend_wrap_up`.
    ContactWrapUp = One(P::ContactWrapUp);
    /// `contact.transfer`.
    ContactTransfer = One(P::ContactTransfer);
    /// `contact.consult`, `consult.cancel`.
    ContactConsult = One(P::ContactConsult);
    /// `consult.complete` as a transfer.
    ConsultTransfer = AllOf(&[One(P::ContactConsult), One(P::ContactTransfer)]);
    /// `consult.complete` as a conference.
    ConsultConference = AllOf(&[One(P::ContactConsult), One(P::ContactConference)]);
    /// `contact.conference`.
    ContactConference = One(P::ContactConference);
    /// `contact.start` with a known customer, over the customer.
    ContactStart = One(P::ContactStart);
    /// `contact.start` with a customer not yet known.
    ContactStartUnknown = AllOf(&[Everywhere(P::ContactStart), Held(P::CustomerCreate)]);
    /// `contact.end`.
    ContactEnd = One(P::ContactEnd);
    /// `contact.end` that also blocks the address.
    ContactEndAndBlock = AllOf(&[One(P::ContactEnd), Held(P::BlockEdit)]);
    /// `contact.assign`, `queue.assign_waiting`, over both ends.
    ContactAssign = One(P::ContactAssign);
    /// `contact.move`, over both ends.
    ContactMove = One(P::ContactMove);
    /// `contact.requeue`, `contact.set_aside`, `contact.put_back`.
    ContactRequeue = One(P::ContactMove);
    /// `contact.prioritise`.
    ContactPrioritise = One(P::ContactPrioritise);
    /// `contact/{id}`, `contacts`, `contact.list`, over each contact.
    ContactView = One(P::ContactView);
    /// `contact.get`; a waiting contact may also be opened from its queue.
    ContactGet = AnyOf(&[One(P::ContactView), One(P::QueueContactsView)]);
    /// `contact.recent`, over each contact.
    ContactRecent = One(P::ContactRecent);
    /// `contact.history`.
    ContactHistory = One(P::ContactHistoryView);
    /// `contact.trace`.
    ContactTrace = One(P::ContactTrace);
    /// `contact.monitor`, `contact.stop_monitoring`.
    ContactMonitor = One(P::ContactMonitor);
    /// `contact.monitor` that the agent is not told about.
    ContactMonitorPrivately = AllOf(&[One(P::ContactMonitor), One(P::ContactMonitorPrivate)]);
    /// `contact.monitor` as a coach.
    ContactCoach = AllOf(&[One(P::ContactMonitor), One(P::ContactCoach)]);
    /// `contact.monitor` barging in.
    ContactBarge = AllOf(&[
        One(P::ContactMonitor),
        One(P::ContactBarge),
        Held(P::ContactHandle),
    ]);
    /// `contact.take_over`.
    ContactTakeOver = AllOf(&[One(P::ContactTakeOver), Held(P::ContactHandle)]);
    /// `contact.record`, over the contact; either level of the dashboard will do.
    ContactRecord = AllOf(&[One(P::DashboardAgents), One(P::ContactRecord)]);
    /// `contact.submit`, over the contact that would be.
    ContactSubmit = One(P::ContactSubmit);
    /// `contact.abandon`.
    ContactAbandon = One(P::ContactAbandon);
    /// `media.report`, `message.report`, over the contact.
    MediaReport = One(P::MediaReport);
    /// Topic `connector`.
    ConnectorWatch = Held(P::MediaReport);

    /// Topic `queue/{id}/contacts`, over the queue; its rows over each contact.
    QueueContacts = One(P::QueueContactsView);
    /// `contact.pick_up`, over the contact.
    ContactPickUp = AllOf(&[One(P::QueueContactsPickUp), Held(P::ContactHandle)]);
    /// `queue.overflow`, over the queue.
    QueueOverflow = One(P::QueueOverflow);
    /// `queue.open`, `queue.close`, `queue.pause_intake`, over the queue.
    QueueOpenClose = One(P::QueueOpenClose);
    /// `list/{id}`, `list.list`, over the list.
    ListView = One(P::ListView);
    /// `list.join`, over the list.
    ListJoin = AllOf(&[One(P::ListJoin), Held(P::ContactHandle)]);
    /// `list.subscribe`, `list.unsubscribe`.
    ListSubscribe = Held(P::ListSubscribe);
    /// `list.end`, over the list.
    ListEnd = One(P::ListEnd);
    /// Topic `inbox/{agent}`, over the agent: view only, or by an agent view.
    InboxWatch = AnyOf(&[One(P::InboxView), One(P::InboxActAs)]);
    /// A request with `as`, over the owner of the agent view.
    ActAs = One(P::InboxActAs);

    /// `email.draft`, `email.send` with an attachment of one's own, over the draft.
    EmailAttachOwn = AllOf(&[One(P::EmailAttach), Held(P::FileUpload)]);
    /// `document.send`, over the contact; `document.share` is asked over the document besides.
    DocumentSend = AllOf(&[Held(P::DocumentShare), One(P::ContactMessage)]);
    /// `document.share`, over the document.
    DocumentShare = One(P::DocumentShare);

    /// `queue.list`, `stats.queues`, over each queue.
    StatsQueues = AnyOf(&[One(P::DashboardQueues), One(P::DashboardTeam)]);
    /// `stats.agents`, over each agent.
    StatsAgents = One(P::DashboardAgents);
    /// `stats.teams`, over each team.
    StatsTeams = One(P::DashboardTeam);
    /// `stats.channels`, `stats.workspace`.
    StatsWorkspace = Everywhere(P::DashboardQueues);
    /// `stats.me`.
    StatsOwn = Held(P::StatsOwn);
    /// An alert about an agent, over him, at either level.
    AlertOfAgent = One(P::DashboardAgents);
    /// An alert about a queue, over it.
    AlertOfQueue = One(P::DashboardQueues);
    /// An alert about a team, over it.
    AlertOfTeam = AnyOf(&[One(P::DashboardAgents), One(P::DashboardTeam)]);
    /// An alert about a channel or the workspace.
    AlertOfWorkspace = Everywhere(P::DashboardQueues);
    /// `workspace.drain`.
    WorkspaceDrain = Everywhere(P::WorkspaceDrain);
    /// `report.run`.
    ReportRun = AllOf(&[One(P::ReportView), One(P::ReportCreate)]);

    /// `role.assign`, over the user; the rule of hierarchy holds besides.
    RoleAssign = AllOf(&[
        One(P::RoleAssign),
        One(P::Config(ConfigObject::Users, Level::Edit)),
    ]);
    /// To change what an entry point passes on, over the entry point.
    EntryPointPass = AnyOf(&[
        One(P::Config(ConfigObject::EntryPoints, Level::Edit)),
        Held(P::Ext(ExtId::ROUTING_FLOWS, Level::Edit)),
    ]);
    /// `entry.allocate`, over the entry point.
    EntryAllocate = One(P::ConfigEntryPointsAllocate);
    /// Operation `ext.routing_flows.define`.
    RoutingFlowDefine = AllOf(&[
        Held(P::Ext(ExtId::ROUTING_FLOWS, Level::Edit)),
        Held(P::Ext(ExtId::FLOW_EDITOR, Level::View)),
    ]);
}
