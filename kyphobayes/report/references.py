"""The works that methods sections and checklists cite, by the words in which they are cited."""

REFERENCES = {
    "Abril-Pla et al. 2023": "Abril-Pla O, Andreani V, Carroll C, et al. PyMC: a modern, and comprehensive "
    "probabilistic programming framework in Python. PeerJ Comput Sci 2023;9:e1516",
    "Betancourt 2016": "Betancourt M. Diagnosing suboptimal cotangent disintegrations in Hamiltonian Monte "
    "Carlo. arXiv:1604.00695, 2016",
    "Bürkner 2017": "Bürkner PC. brms: an R package for Bayesian multilevel models using Stan. J Stat Softw "
    "2017;80(1):1–28",
    "Clopper and Pearson 1934": "Clopper CJ, Pearson ES. The use of confidence or fiducial limits "
    "illustrated in the case of the binomial. Biometrika 1934;26:404–413",
    "DerSimonian and Laird 1986": "DerSimonian R, Laird N. Meta-analysis in clinical trials. Control Clin "
    "Trials 1986;7:177–188",
    "Gelman, Meng and Stern 1996": "Gelman A, Meng XL, Stern H. Posterior predictive assessment of model "
    "fitness via realized discrepancies. Stat Sin 1996;6:733–760",
    "Hamza et al. 2008": "Hamza TH, van Houwelingen HC, Stijnen T. The binomial distribution of "
    "meta-analysis was preferred to model within-study variability. J Clin Epidemiol 2008;61:41–51",
    "Higgins et al. 2009": "Higgins JPT, Thompson SG, Spiegelhalter DJ. A re-evaluation of random-effects "
    "meta-analysis. J R Stat Soc A 2009;172:137–159",
    "Hoffman and Gelman 2014": "Hoffman MD, Gelman A. The No-U-Turn sampler: adaptively setting path lengths "
    "in Hamiltonian Monte Carlo. J Mach Learn Res 2014;15:1593–1623",
    "IntHout et al. 2014": "IntHout J, Ioannidis JPA, Borm GF. The Hartung-Knapp-Sidik-Jonkman method for "
    "random effects meta-analysis is straightforward and considerably outperforms the standard "
    "DerSimonian-Laird method. BMC Med Res Methodol 2014;14:25",
    "Kallioinen et al. 2024": "Kallioinen N, Paananen T, Bürkner PC, Vehtari A. Detecting and diagnosing "
    "prior and likelihood sensitivity with power-scaling. Stat Comput 2024;34:57",
    "Kruschke 2021": "Kruschke JK. Bayesian analysis reporting guidelines. Nat Hum Behav 2021;5:1282–1291",
    "Kumar et al. 2019": "Kumar R, Carroll C, Hartikainen A, Martin O. ArviZ a unified library for "
    "exploratory analysis of Bayesian models in Python. J Open Source Softw 2019;4(33):1143",
    "Page et al. 2021": "Page MJ, McKenzie JE, Bossuyt PM, et al. The PRISMA 2020 statement: an updated "
    "guideline for reporting systematic reviews. BMJ 2021;372:n71",
    "Röver 2020": "Röver C. Bayesian random-effects meta-analysis using the bayesmeta R package. J Stat "
    "Softw 2020;93(6):1–51",
    "Stroup et al. 2000": "Stroup DF, Berlin JA, Morton SC, et al. Meta-analysis of observational studies in "
    "epidemiology: a proposal for reporting. JAMA 2000;283:2008–2012",
    "Sung et al. 2005": "Sung L, Hayden J, Greenberg ML, Koren G, Feldman BM, Tomlinson GA. Seven items were "
    "identified for inclusion when reporting a Bayesian analysis of a clinical study. J Clin Epidemiol "
    "2005;58:261–268",
    "Vehtari et al. 2021": "Vehtari A, Gelman A, Simpson D, Carpenter B, Bürkner PC. Rank-normalization, "
    "folding, and localization: an improved R-hat for assessing convergence of MCMC. Bayesian Anal "
    "2021;16:667–718",
    "Viechtbauer 2010": "Viechtbauer W. Conducting meta-analyses in R with the metafor package. J Stat Softw "
    "2010;36(3):1–48",
}


def cited_in(texts: "list[str] | tuple[str, ...]") -> list[str]:
    """Full references of all works that are cited in some texts, by name."""
    joined = " ".join(texts)
    return [REFERENCES[name] for name in sorted(REFERENCES) if name in joined]
