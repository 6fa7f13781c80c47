/** Texts that come with a part of the page, as the first load is for those who join. */
import { useI18n } from "../i18n/context.tsx";
import { enDoctor } from "../i18n/en-doctor.ts";
import { enFiles } from "../i18n/en-files.ts";
import { enPolls } from "../i18n/en-polls.ts";
import { koDoctor } from "../i18n/ko-doctor.ts";
import { koFiles } from "../i18n/ko-files.ts";
import { koPolls } from "../i18n/ko-polls.ts";

const DOCTOR = { en: enDoctor, ko: koDoctor };
const FILES = { en: enFiles, ko: koFiles };
const POLLS = { en: enPolls, ko: koPolls };

/** Texts of the connection test. */
export const useDoctorTexts = () => DOCTOR[useI18n().language];

/** Texts of files in the chat. */
export const useFileTexts = () => FILES[useI18n().language];

/** Texts of polls. */
export const usePollTexts = () => POLLS[useI18n().language];
