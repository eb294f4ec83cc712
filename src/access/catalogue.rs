//! The catalogue: every privilege of the product as one row of one table. The permissions
//! page is the source; a test compares the two row by row.

use super::ext::ExtId;
use super::privilege::{ConfigObject, Level};
use super::scope::Scopes;

/// What is special about a row of the catalogue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// Grants and denials of it may name channels.
    PerChannel,
    /// A grant of role `agent` that other built-in roles hold only by inheriting that role.
    AgentOperation,
    /// Grantable only to roles that inherit `admin`.
    AdminOnly,
}

/// The product that a privilege is modelled on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// FocalScope agent views.
    FS,
    /// Expertflow CX agent permissions.
    EF,
    /// storm CONTACT privileges.
    ST,
    /// CallRail Lead Center permissions.
    LC,
    /// Facetone roles.
    FT,
}

/// One row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The privilege.
    pub privilege: Privilege,
    /// Its dotted name, the same in files, on the wire and in the audit.
    pub name: &'static str,
    /// What is special about it.
    pub marks: &'static [Mark],
    /// The products it is modelled on.
    pub sources: &'static [Source],
    /// Scopes in the built-in roles `agent`, `senior_agent`, `supervisor` and `admin`,
    /// inherited ones included.
    pub built_in: [Scopes; 4],
}

impl Row {
    /// Whether grants of this privilege may name channels.
    #[must_use]
    pub fn per_channel(&self) -> bool {
        self.marks.contains(&Mark::PerChannel)
    }

    /// Whether built-in roles other than `agent` hold it only by inheriting `agent`.
    #[must_use]
    pub fn agent_operation(&self) -> bool {
        self.marks.contains(&Mark::AgentOperation)
    }

    /// Whether only roles that inherit `admin` may be granted it.
    #[must_use]
    pub fn admin_only(&self) -> bool {
        self.marks.contains(&Mark::AdminOnly)
    }
}

/// The parts of the catalogue.
pub(super) enum Part {
    /// A row of [`ROWS`], by number.
    Row(usize),
    /// A configuration object.
    Config(ConfigObject, Level),
    /// An external page.
    Ext(ExtId, Level),
}

macro_rules! catalogue {
    ($( $variant:ident $name:literal [$($columns:literal)*] [$($mark:ident)*] [$($source:ident)*]; )*) => {
        /// One verb on one kind of object. Closed: a new one is a new row of the catalogue.
        ///
        /// `Config` and `Ext` have levels, each of which implies the one before;
        /// [`Privilege::DashboardAgentsIdentified`] implies [`Privilege::DashboardAgents`].
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Privilege {
            $(
                #[doc = concat!("`", $name, "`")]
                $variant,
            )*
            /// `config.<object>.view`, `.edit` or `.delete`
            Config(ConfigObject, Level),
            /// `ext.<name>`, with a level where the page has levels.
            Ext(ExtId, Level),
        }

        #[derive(Clone, Copy)]
        #[repr(u8)]
        enum Number {
            $( $variant, )*
        }

        /// Every privilege that is neither `config.<object>` nor `ext`, in the order of the page.
        pub const ROWS: &[Row] = &[
            $( Row {
                privilege: Privilege::$variant,
                name: $name,
                marks: &[$(Mark::$mark),*],
                sources: &[$(Source::$source),*],
                built_in: [$(Scopes::letters($columns)),*],
            }, )*
        ];

        impl Privilege {
            /// The same privilege, sorted by the part of the catalogue that holds it.
            pub(super) const fn part(self) -> Part {
                match self {
                    $( Self::$variant => Part::Row(Number::$variant as usize), )*
                    Self::Config(object, level) => Part::Config(object, level),
                    Self::Ext(page, level) => Part::Ext(page, level),
                }
            }
        }
    };
}

catalogue! {
    SessionOpen "session.open" ["o" "o" "o" "o"] [] [EF FT];
    SelfProfileEdit "self.profile.edit" ["o" "o" "o" "o"] [] [FS];
    SelfPermissionsEdit "self.permissions.edit" ["o" "o" "o" "o"] [] [LC];
    UserPermissionsEdit "user.permissions.edit" ["-" "-" "s" "a"] [] [LC];
    UserSignOut "user.sign_out" ["-" "-" "s" "a"] [] [ST];
    NoticeSend "notice.send" ["-" "-" "s" "a"] [] [];
    AuthorizeOthers "authorize.others" ["-" "-" "-" "a"] [] [];
    AgentStateSet "agent.state.set" ["o" "o" "os" "a"] [] [EF ST];
    AgentChannelsSet "agent.channels.set" ["o" "o" "os" "a"] [] [EF ST];
    AgentQueueSelection "agent.queue_selection" ["-" "o" "o" "o"] [] [ST];
    AgentQueuesSet "agent.queues.set" ["o" "o" "os" "a"] [] [ST];
    AgentSkillsSet "agent.skills.set" ["-" "-" "s" "a"] [] [];
    AgentContactMethodsSet "agent.contact_methods.set" ["-" "-" "s" "a"] [] [ST];
    AgentEndWrapUp "agent.end_wrap_up" ["-" "-" "s" "a"] [] [];
    AgentStatusView "agent.status.view" ["t" "t" "ts" "a"] [] [ST];
    TargetsView "targets.view" ["a" "a" "a" "a"] [] [];
    ContactHandle "contact.handle" ["o" "o" "o" "o"] [AgentOperation PerChannel] [ST FT];
    ContactAccept "contact.accept" ["o" "o" "o" "o"] [AgentOperation] [EF];
    ContactDecline "contact.decline" ["o" "o" "o" "o"] [AgentOperation] [EF];
    ContactHold "contact.hold" ["o" "o" "o" "o"] [AgentOperation] [];
    ContactPark "contact.park" ["o" "o" "o" "o"] [AgentOperation] [];
    ContactUpdate "contact.update" ["o" "o" "o" "o"] [AgentOperation] [];
    ContactMessage "contact.message" ["c" "c" "c" "c"] [AgentOperation] [EF];
    ContactLeave "contact.leave" ["c" "c" "c" "c"] [AgentOperation] [EF];
    ContactNote "contact.note" ["c" "c" "c" "c"] [AgentOperation] [EF];
    ContactWrapUp "contact.wrap_up" ["c" "c" "c" "c"] [AgentOperation] [EF];
    ContactTransfer "contact.transfer" ["o" "o" "os" "os"] [AgentOperation] [EF];
    ContactConsult "contact.consult" ["o" "o" "os" "os"] [AgentOperation] [EF];
    ContactConference "contact.conference" ["o" "o" "os" "os"] [AgentOperation] [EF];
    ContactStart "contact.start" ["c" "a" "a" "a"] [AgentOperation PerChannel] [EF ST FT];
    ContactEnd "contact.end" ["o" "o" "os" "a"] [] [EF];
    ContactAssign "contact.assign" ["-" "o" "s" "a"] [PerChannel] [ST];
    ContactMove "contact.move" ["-" "-" "s" "a"] [PerChannel] [ST];
    ContactPrioritise "contact.prioritise" ["-" "-" "s" "a"] [] [];
    ContactView "contact.view" ["c" "c" "cs" "a"] [] [EF];
    ContactRecent "contact.recent" ["o" "o" "os" "a"] [] [FT];
    ContactHistoryView "contact.history.view" ["a" "a" "a" "a"] [] [EF];
    ContactTrace "contact.trace" ["-" "-" "s" "a"] [] [];
    ContactMonitor "contact.monitor" ["-" "-" "s" "-"] [PerChannel] [ST LC];
    ContactMonitorPrivate "contact.monitor.private" ["-" "-" "-" "-"] [] [ST];
    ContactCoach "contact.coach" ["-" "-" "s" "-"] [PerChannel] [ST FT];
    ContactBarge "contact.barge" ["-" "-" "s" "-"] [PerChannel] [ST FT];
    ContactTakeOver "contact.take_over" ["-" "-" "s" "-"] [PerChannel] [ST];
    ContactRecord "contact.record" ["-" "-" "s" "a"] [] [ST];
    ContactSubmit "contact.submit" ["-" "-" "-" "-"] [] [];
    ContactAbandon "contact.abandon" ["-" "-" "-" "-"] [] [];
    MediaReport "media.report" ["-" "-" "-" "-"] [] [];
    QueueContactsView "queue.contacts.view" ["-" "-" "s" "a"] [PerChannel] [ST];
    QueueContactsPickUp "queue.contacts.pick_up" ["-" "-" "s" "-"] [PerChannel] [ST];
    QueueOverflow "queue.overflow" ["-" "-" "s" "a"] [PerChannel] [ST];
    QueueOpenClose "queue.open_close" ["-" "-" "s" "a"] [] [];
    ListView "list.view" ["q" "q" "qs" "a"] [] [EF];
    ListJoin "list.join" ["q" "q" "qs" "a"] [AgentOperation] [EF];
    ListSubscribe "list.subscribe" ["o" "o" "o" "o"] [] [EF];
    ListEnd "list.end" ["-" "-" "s" "a"] [] [EF];
    InboxView "inbox.view" ["-" "-" "s" "a"] [] [ST];
    InboxActAs "inbox.act_as" ["d" "d" "d" "d"] [] [FS];
    DelegationEdit "delegation.edit" ["-" "-" "-" "a"] [AdminOnly] [FS];
    DocumentView "document.view" ["o" "o" "o" "o"] [] [FS];
    DocumentEdit "document.edit" ["o" "o" "o" "o"] [] [FS];
    DocumentShare "document.share" ["o" "o" "o" "o"] [] [FS];
    CustomerList "customer.list" ["-" "a" "a" "a"] [] [EF];
    CustomerView "customer.view" ["c" "a" "a" "a"] [] [EF ST];
    CustomerEdit "customer.edit" ["c" "a" "a" "a"] [] [EF ST];
    CustomerCreate "customer.create" ["-" "a" "a" "a"] [] [EF ST];
    CustomerLink "customer.link" ["-" "a" "a" "a"] [] [EF ST];
    CustomerPiiClear "customer.pii.clear" ["-" "a" "a" "-"] [] [EF];
    CustomerImport "customer.import" ["-" "-" "-" "a"] [] [ST];
    CustomerRecordsDelete "customer.records.delete" ["-" "-" "-" "a"] [] [ST];
    CustomerSchemaView "customer.schema.view" ["-" "a" "a" "a"] [] [EF];
    CustomerSchemaEdit "customer.schema.edit" ["-" "-" "a" "a"] [] [EF ST];
    LabelCreate "label.create" ["a" "a" "a" "a"] [] [EF];
    LabelAssign "label.assign" ["a" "a" "a" "a"] [] [EF];
    LabelView "label.view" ["a" "a" "a" "a"] [] [EF];
    LabelEdit "label.edit" ["-" "-" "a" "a"] [] [EF];
    LabelDelete "label.delete" ["-" "-" "a" "a"] [] [EF];
    CallbackSchedule "callback.schedule" ["-" "a" "a" "a"] [] [ST];
    CallbackRescheduleFailed "callback.reschedule_failed" ["-" "a" "a" "a"] [] [ST];
    CallbackBlacklist "callback.blacklist" ["-" "-" "a" "a"] [] [ST];
    BlockEdit "block.edit" ["-" "-" "a" "a"] [] [];
    EmailTo "email.to" ["-" "o" "o" "-"] [] [ST];
    EmailCc "email.cc" ["-" "o" "o" "-"] [] [ST];
    EmailBcc "email.bcc" ["-" "o" "o" "-"] [] [ST];
    EmailHeaders "email.headers" ["-" "o" "o" "-"] [] [ST];
    EmailAttach "email.attach" ["-" "o" "o" "-"] [] [ST];
    FileUpload "file.upload" ["-" "o" "o" "-"] [] [ST];
    EmailReview "email.review" ["-" "o" "s" "-"] [] [ST];
    VoicemailOwn "voicemail.own" ["o" "o" "o" "o"] [AgentOperation] [LC FT];
    StatsOwn "stats.own" ["o" "o" "o" "o"] [AgentOperation] [FT];
    DashboardQueues "dashboard.queues" ["-" "-" "s" "a"] [] [ST LC EF];
    DashboardAgents "dashboard.agents" ["-" "-" "s" "a"] [] [ST EF];
    DashboardAgentsIdentified "dashboard.agents.identified" ["-" "-" "s" "a"] [] [ST EF];
    DashboardTeam "dashboard.team" ["-" "-" "ts" "a"] [] [LC];
    StatsHistoric "stats.historic" ["-" "-" "s" "a"] [] [ST];
    WallboardView "wallboard.view" ["-" "-" "s" "a"] [] [ST];
    WallboardEdit "wallboard.edit" ["-" "-" "-" "a"] [] [ST];
    WallboardPair "wallboard.pair" ["-" "-" "s" "a"] [] [];
    ReportView "report.view" ["-" "-" "s" "a"] [] [ST FT];
    ReportCreate "report.create" ["-" "-" "s" "a"] [] [ST];
    ReportEdit "report.edit" ["-" "-" "-" "a"] [] [ST];
    ConfigEntryPointsAllocate "config.entry_points.allocate" ["-" "-" "-" "a"] [PerChannel] [ST];
    RoleEdit "role.edit" ["-" "-" "-" "a"] [] [ST FT];
    RoleAssign "role.assign" ["-" "-" "-" "a"] [] [ST FT];
    AuditView "audit.view" ["-" "-" "s" "a"] [] [];
    WorkspaceDrain "workspace.drain" ["-" "-" "-" "a"] [] [];
}
