/** Texts of what can go wrong, in requests and with devices. */
export const enErrors = {
  errors: {
    room_full: (room: string) => `${room} is full.`,
    roomFullHint: "Wait for someone to leave, or create another room.",
    wrong_password: "That password isn't right.",
    password_required: "This room requires a password.",
    name: {
      empty: "A name needs at least one visible character.",
      too_long: "That name is too long. It can have up to 64 characters.",
      control: "A name must be a single line without control characters.",
      direction:
        "That name contains hidden characters that change the direction of text. Type it again.",
      invisible: "That name contains invisible characters. Type it again.",
      unassigned: "That name contains a character that other devices can't show.",
      marks: "That name stacks too many marks on one character.",
      dots: "A room name can't consist of dots alone.",
    },
    invalid: "The server didn't accept that name. Try a shorter or simpler one.",
    rate_limited: "Too many requests. Wait a moment and try again.",
    server_full: "The server is full right now. Try again in a little while.",
    server_draining:
      "The server is about to restart, so it opens no new rooms. Try again in a few minutes.",
    room_locked: "This room is locked. Ask a host to open it, then try again.",
    banned: "A host has removed you from this room.",
    token_expired: "Your access to this room has expired. Open it again from where you came.",
    invalid_token:
      "This server doesn't accept your access to the room. Open it again from where you came.",
    wrong_room: "Your access is for another room.",
    invalid_invitation:
      "This invitation isn't for this room, or the room has closed. You can join without it.",
    invitation_expired: "This invitation has expired. Ask for another one, or join without it.",
    invitation_used_up:
      "This invitation has reached its number of people. Ask for another one, or join without it.",
    invitation_revoked:
      "A host has revoked this invitation. Ask for another one, or join without it.",
    sign_in_required: "On this server, only people who have signed in can open a new room.",
    api_only: "On this server, only administrators can open rooms. Check the room's name.",
    denied: "The host didn't let you in.",
    already_joined: "You are already in this room in this window.",
    resume_expired: "You were away for too long. Join again.",
    offline: "Can't reach the server. Check your connection.",
    internal: "Something went wrong on the server. Try again.",
  },

  problem: {
    titleBoth: "Camera and microphone can't be used",
    titleCamera: "The camera can't be used",
    titleMic: "The microphone can't be used",
    titleScreen: "The screen can't be shared",
    screenDenied:
      "Your system doesn't let the browser record the screen. Allow it in the system settings.",
    screenUnknown: "Sharing didn't start. Try again, or choose another window.",
    denied: "The browser doesn't let this page use it.",
    dismissed: "The browser asked, but got no answer. Try again, then press Allow.",
    blocked:
      "Your system doesn't let the browser use it. Allow it in the system settings under privacy, then try again.",
    inUse: "Another program seems to be using it. Close that program, then try again.",
    missing: "No device was found. Connect one, then try again.",
    insecure: "Browsers only allow it on a secure page. Open this page over https://.",
    unsupported:
      "This browser can't make video calls. Use a current version of Chrome, Edge, Firefox or Safari.",
    unknown: "It didn't start. Try again, or choose another device.",
    joinAnyway: "You can join anyway; you'll still see and hear the others.",
    titleAsking: "The browser is waiting for your permission",
    asking:
      "Allow it in the prompt near the address. If there is no prompt, press the icon next to the address.",
    titleUnansweredBoth: "Camera and microphone don't respond",
    titleUnansweredCamera: "The camera doesn't respond",
    titleUnansweredMic: "The microphone doesn't respond",
    unanswered: "Another program may be using it. Close that program, or choose another device.",
    titleOtherCamera: "That camera can't be used",
    titleOtherMic: "That microphone can't be used",
    previousKept: "The previous one stays in use.",
    titlePausedBoth: "Camera and microphone are paused",
    titlePausedCamera: "Your camera is paused",
    titlePausedMic: "Your microphone is paused",
    paused:
      "A phone call, another app or a switch on the device caused this. Nothing is sent to the others.",
    turnOnAgain: "Turn on again",
    dismiss: "Dismiss",
    tryAgain: "Try again",
    instructions: {
      chrome: "Click the camera or settings icon left of the address, allow it, then try again.",
      chromeAndroid: "Tap the icon left of the address, then Permissions, and allow it.",
      firefox: "Click the crossed-out icon left of the address, remove the block, then try again.",
      safari: "In the menu bar, choose Safari, then Settings for This Website, and allow it.",
      safariIos: "Tap the page menu in the address bar, then Website Settings, and allow it.",
      inApp: "You are in another app's built-in browser. Open this page in Safari or Chrome.",
      other: "Allow it in the browser's settings for this page, then try again.",
    },
  },
};

export type ErrorsMessages = typeof enErrors;
