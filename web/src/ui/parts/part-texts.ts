/** Texts that come with a part of the page, as the first load is for those who join. */
import { useI18n } from "../i18n/context.tsx";
import { enDoctor } from "../i18n/en-doctor.ts";
import { enPolls } from "../i18n/en-polls.ts";
import { koDoctor } from "../i18n/ko-doctor.ts";
import { koPolls } from "../i18n/ko-polls.ts";

const DOCTOR = { en: enDoctor, ko: koDoctor };
const POLLS = { en: enPolls, ko: koPolls };

/** Texts of the connection test. */
export const useDoctorTexts = () => DOCTOR[useI18n().language];

/** Texts of polls. */
export const usePollTexts = () => POLLS[useI18n().language];
