"""Every table. The words are those of the glossary in README.md.

Instants are UTC in every column and come back aware. Words in three languages are a JSON object
`{"fr": ..., "ar": ..., "en": ...}`. Rules about the rows live in the module of their noun.
"""

from storage.tables.announcements import Announcement, AnnouncementText, Audience, Recipient, Stage
from storage.tables.audit import Audit, AuditChain
from storage.tables.base import Base, Instant, Trilingual
from storage.tables.changes import Edit, PlanChange, Upload, Wave
from storage.tables.conversation import Conversation, Update
from storage.tables.delivery import Fate, Lane, Lease, Outbox
from storage.tables.introductions import (
    Answer,
    Direction,
    Introduction,
    IntroductionSide,
    LeftOut,
    MeetingBlock,
    MeetingLanguage,
    MeetingProfile,
    MeetingTime,
    MeetingTimeChoice,
    MeetingTopic,
    Occasion,
    Progress,
    Round,
    RoundSchedule,
    RoundStage,
    Topic,
)
from storage.tables.networking import Course, Networking, NetworkingGuest, NetworkingSeat
from storage.tables.people import (
    Address,
    Agreement,
    Consent,
    Invitation,
    LinkCode,
    Member,
    MemberLead,
    MemberTheme,
    Post,
    Purpose,
    Role,
    Side,
)
from storage.tables.privacy import Erasure, ErasureKey
from storage.tables.programme import Event, Session, SessionTheme, Theme
from storage.tables.seats import Asked, Door, PostedCard, Rating, Rsvp, Seat, Ticket, WalkIn
from storage.tables.sendings import GroupChat, GroupPosting, SendingCard

__all__ = [
    "Address",
    "Agreement",
    "Announcement",
    "AnnouncementText",
    "Answer",
    "Asked",
    "Audience",
    "Audit",
    "AuditChain",
    "Base",
    "Consent",
    "Conversation",
    "Course",
    "Direction",
    "Door",
    "Edit",
    "Erasure",
    "ErasureKey",
    "Event",
    "Fate",
    "GroupChat",
    "GroupPosting",
    "Instant",
    "Introduction",
    "IntroductionSide",
    "Invitation",
    "Lane",
    "Lease",
    "LeftOut",
    "LinkCode",
    "MeetingBlock",
    "MeetingLanguage",
    "MeetingProfile",
    "MeetingTime",
    "MeetingTimeChoice",
    "MeetingTopic",
    "Member",
    "MemberLead",
    "MemberTheme",
    "Networking",
    "NetworkingGuest",
    "NetworkingSeat",
    "Occasion",
    "Outbox",
    "PlanChange",
    "Post",
    "PostedCard",
    "Progress",
    "Purpose",
    "Rating",
    "Recipient",
    "Role",
    "Round",
    "RoundSchedule",
    "RoundStage",
    "Rsvp",
    "Seat",
    "SendingCard",
    "Session",
    "SessionTheme",
    "Side",
    "Stage",
    "Theme",
    "Ticket",
    "Topic",
    "Trilingual",
    "Update",
    "Upload",
    "WalkIn",
    "Wave",
]
