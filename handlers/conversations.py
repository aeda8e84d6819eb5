"""All conversations, in the order in which they are asked whether an update is theirs.

The way out and the notice come first: they are everybody's, at any time. Then commands, so that
`/help` and `/agenda` work in the middle of a question; then the questions, which read any text; then
the search, for words that answer none; last, the answer to what nobody understood.
"""

from collections.abc import Sequence

from aiogram import Router

from handlers import (
    announce,
    announce_extras,
    announce_sending,
    announce_texts,
    announce_when,
    answers,
    approvals,
    asking,
    audience_choices,
    audiences,
    directory,
    directory_requests,
    doors,
    events,
    exports,
    figures,
    forged,
    forget,
    group_chats,
    guide,
    introduction_figures,
    introductions,
    invitations,
    linking,
    meeting_profile,
    meeting_time_letters,
    meeting_times,
    meetings,
    mydata,
    networking,
    networking_hold,
    new_events,
    plans,
    posted_cards,
    posts,
    privacy,
    quiet,
    ratings,
    registration,
    reminders,
    reports,
    rounds,
    rsvps,
    search,
    sendings,
    settings,
    staff_acts,
    staff_choices,
    staff_events,
    staff_forms,
    staff_uploads,
    start,
    still_there,
    stop,
    team,
    tickets,
    waitlist,
)
from handlers.asking import Purposes
from handlers.correspondence import Kind, Kinds
from storage.announcements import TEST
from storage.approvals import ASK, VERDICT
from storage.directory_requests import KIND as ASKED_FOR
from storage.doors import KIND as LATE
from storage.exports import CALENDAR, EXPORT
from storage.figures import KIND as FIGURES
from storage.group_chats import KIND as GROUP
from storage.holdings import KIND as MYDATA
from storage.introduction_figures import KIND as BROUGHT
from storage.introduction_rounds import DRAWN
from storage.introductions import AGREED, ENDED, PAUSED
from storage.introductions import KIND as INTRODUCTION
from storage.linking import KIND as LINKED
from storage.meeting_times import OFF, SET, SOON, TIMES
from storage.meetings import KIND as MEETING
from storage.networking import INVITATION, TABLE
from storage.new_events import KIND as NEW_EVENT
from storage.plans import KIND as PLAN
from storage.posted_cards import KIND as CARD
from storage.ratings import KIND as RATING
from storage.recipients import kind_of
from storage.reminders import KIND as REMINDER
from storage.reports import KIND as REPORT
from storage.retention import KIND as STILL_THERE
from storage.sending_cards import KIND as SENDING
from storage.tables import Purpose
from storage.tickets import KIND as TICKET
from storage.uploads import KIND as UPLOAD
from storage.waitlist import KIND as OFFER
from storage.waitlist import PROMOTION


def routers() -> Sequence[Router]:
    """Fresh routers: each belongs to one dispatcher."""
    return [
        forged.router(),
        stop.router(),
        privacy.router(),
        mydata.router(),
        forget.router(),
        still_there.router(),
        start.router(),
        staff_forms.ways_out(),
        audiences.ways_out(),
        posts.ways_out(),
        meeting_profile.ways_out(),
        announce.ways_out(),
        guide.router(),
        events.router(),
        rsvps.router(),
        search.router(),
        directory_requests.router(),
        directory.router(),
        posted_cards.router(),
        tickets.router(),
        exports.router(),
        doors.router(),
        introduction_figures.router(),
        linking.router(),
        networking.router(),
        networking_hold.router(),
        new_events.router(),
        ratings.router(),
        answers.router(),
        reports.router(),
        figures.router(),
        introductions.router(),
        meeting_times.router(),
        meetings.router(),
        rounds.router(),
        reminders.router(),
        sendings.router(),
        group_chats.router(),
        plans.router(),
        settings.router(),
        quiet.router(),
        meeting_profile.router(),
        staff_events.router(),
        staff_acts.router(),
        staff_choices.router(),
        announce.router(),
        announce_texts.router(),
        announce_extras.router(),
        announce_when.router(),
        announce_sending.router(),
        approvals.router(),
        announce.stale_router(),
        staff_uploads.router(),
        team.router(),
        invitations.router(),
        registration.router(),
        staff_forms.router(),
        audiences.router(),
        audience_choices.router(),
        posts.router(),
        asking.router(),
        search.plain_router(),
        guide.last_router(),
    ]


def purposes() -> Purposes:
    """Why a question may be asked."""
    return {
        registration.PURPOSE: registration.Registering(),
        settings.PURPOSE: settings.Correcting(),
    }


def kinds() -> Kinds:
    """Every kind of outbox row. These had better come twice than not at all, but for announcements:
    readers complain of those that come twice, so what is in doubt waits for the team.

    Each has the purpose that its reader must agree to, or none and why it needs none.
    """
    return {
        **{
            kind_of(purpose): Kind(write=sendings.write, resend=False, purpose=purpose)
            for purpose in Purpose
        },
        REMINDER: Kind(write=reminders.write, resend=True, purpose=Purpose.REMINDERS),
        # Nobody needs it who wants no reminders: it comes of our own accord, too.
        RATING: Kind(write=ratings.write, resend=True, purpose=Purpose.REMINDERS),
        # What must be said about a seat that somebody holds or stands in line for.
        OFFER: Kind(write=waitlist.write, resend=True, purpose=Purpose.EVENTS),
        PROMOTION: Kind(write=waitlist.write_promotion, resend=True, purpose=Purpose.EVENTS),
        PLAN: Kind(write=plans.write, resend=True, purpose=Purpose.EVENTS),
        # What belongs to the session that they are in, or to the round that they joined.
        INVITATION: Kind(write=networking.write_invitations, resend=True, purpose=Purpose.EVENTS),
        TABLE: Kind(write=networking.write_tables, resend=True, purpose=Purpose.EVENTS),
        # None: the answer to a tap or a file, which had to be made first.
        TICKET: Kind(write=tickets.write, resend=True),
        CALENDAR: Kind(write=exports.write_calendars, resend=True),
        EXPORT: Kind(write=exports.write_exports, resend=True),
        MEETING: Kind(write=meetings.write, resend=True, purpose=Purpose.INTRODUCTIONS),
        INTRODUCTION: Kind(write=introductions.write, resend=True, purpose=Purpose.INTRODUCTIONS),
        AGREED: Kind(write=introductions.write_agreed, resend=True, purpose=Purpose.INTRODUCTIONS),
        ENDED: Kind(write=introductions.write_ended, resend=True, purpose=Purpose.INTRODUCTIONS),
        PAUSED: Kind(write=introductions.write_paused, resend=True, purpose=Purpose.INTRODUCTIONS),
        TIMES: Kind(
            write=meeting_time_letters.write_times, resend=True, purpose=Purpose.INTRODUCTIONS
        ),
        SET: Kind(write=meeting_time_letters.write_set, resend=True, purpose=Purpose.INTRODUCTIONS),
        OFF: Kind(write=meeting_time_letters.write_off, resend=True, purpose=Purpose.INTRODUCTIONS),
        # Both must be wanted: reminders, and (asked by its writer) introductions.
        SOON: Kind(write=meeting_time_letters.write_soon, resend=True, purpose=Purpose.REMINDERS),
        # None: the team at its work.
        DRAWN: Kind(write=rounds.write, resend=True),
        FIGURES: Kind(write=figures.write, resend=True),
        REPORT: Kind(write=reports.write, resend=True),
        MYDATA: Kind(write=mydata.write, resend=True),
        # None: whoever wants nothing any more must still be asked before they are forgotten.
        STILL_THERE: Kind(write=still_there.write, resend=True),
        BROUGHT: Kind(write=introduction_figures.write, resend=True),
        ASKED_FOR: Kind(write=introductions.write, resend=True, purpose=Purpose.INTRODUCTIONS),
        NEW_EVENT: Kind(write=new_events.write, resend=False, purpose=Purpose.NEW_EVENTS),
        # None: whoever links an account must not be able to do so unseen.
        LINKED: Kind(write=linking.write, resend=True),
        UPLOAD: Kind(write=staff_uploads.write, resend=True),
        # None: what stands in a group or channel is written to nobody.
        GROUP: Kind(write=group_chats.write, resend=False),
        # None: the team at its work, and only whoever keeps that door or sends that announcement.
        SENDING: Kind(write=sendings.write_card, resend=True),
        LATE: Kind(write=doors.write, resend=True),
        # None: the edit of a card in another chat; it rings nowhere.
        CARD: Kind(write=posted_cards.write, resend=True),
        # None: the team at its work; a test is for its own author.
        TEST: Kind(write=announce_sending.write_test, resend=True),
        ASK: Kind(write=approvals.write, resend=True),
        VERDICT: Kind(write=approvals.write_verdict, resend=True),
    }
